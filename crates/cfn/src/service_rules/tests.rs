use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{ServiceRuleTable, all_rules, broken, sibling_rules};
use crate::Schemas;

fn broken_by(type_: &str, properties: &Value) -> Vec<String> {
    broken(type_, properties, &|_, _| None).iter().map(|rule| rule.path.clone()).collect()
}

#[test]
fn the_table_is_read_and_names_types_and_properties_that_there_are() {
    let text = include_str!("../../../../schemas/service-rules.json");
    let table: ServiceRuleTable = serde_json::from_str(text).expect("the table");
    assert_eq!(all_rules().count(), table.rules.len());
    let ids: BTreeSet<&str> =
        all_rules().map(|it| it.id.as_str()).chain(sibling_rules().iter().map(|it| it.id.as_str())).collect();
    assert_eq!(ids.len(), table.rules.len() + table.siblings.len(), "ids are unique");
    let schemas = Schemas::embedded();
    for rule in &table.rules {
        let schema = schemas.get(&rule.type_).unwrap_or_else(|| panic!("{}: no type {}", rule.id, rule.type_));
        let first = rule.each.as_deref().unwrap_or(&rule.property).split('.').next().expect("a first name");
        assert!(schema.shape().properties.contains_key(first), "{}: {} has no {first}", rule.id, rule.type_);
        assert!(!rule.source.is_empty() && !rule.message.ends_with('.'), "{}", rule.id);
    }
}

#[test]
fn what_is_not_known_breaks_no_rule() {
    let alarm = |period: Value| json!({"MetricName": "Errors", "Statistic": "Sum", "EvaluationPeriods": 2, "Threshold": 0, "Period": period});
    let type_ = "AWS::CloudWatch::Alarm";
    assert_eq!(broken_by(type_, &alarm(json!(60))), Vec::<String>::new());
    assert_eq!(broken_by(type_, &alarm(json!(90))), ["Period"]);
    assert_eq!(broken_by(type_, &alarm(json!("90"))), ["Period"]);
    assert_eq!(broken_by(type_, &alarm(json!({"Ref": "Period"}))), Vec::<String>::new());
    assert_eq!(broken_by(type_, &alarm(json!({"Fn::If": ["A", 90, 60]}))), Vec::<String>::new());
    assert_eq!(broken_by(type_, &alarm(json!({"Ref": "AWS::NoValue"}))), ["Period"]);
}

#[test]
fn entries_of_a_list_are_judged_one_by_one() {
    let group = json!({"SecurityGroupIngress": [{"Ref": "Rule"}, {"IpProtocol": "tcp", "CidrIp": "10.0.0.0/8"}]});
    assert_eq!(broken_by("AWS::EC2::SecurityGroup", &group), ["SecurityGroupIngress/1/FromPort"]);
}

#[test]
fn a_rule_looks_at_the_resource_that_is_named() {
    let route = json!({"ApiId": "a", "RouteKey": "$default", "AuthorizationType": "JWT"});
    let api = |_: &Value, type_: &str| {
        (type_ == "AWS::ApiGatewayV2::Api").then(|| Cow::Owned(json!({"ProtocolType": "WEBSOCKET"})))
    };
    assert_eq!(broken("AWS::ApiGatewayV2::Route", &route, &api).len(), 1);
    assert!(broken("AWS::ApiGatewayV2::Route", &route, &|_, _| None).is_empty());
}
