//! Templates made elsewhere: what CloudFormation takes is not refused, and what it refuses is, at its own line.

use crate::support::Project;

/// What `check` says of a template: its errors and warnings, notes left out.
fn checked(template: &str) -> String {
    let project = Project::empty();
    project.write("bedplate.yaml", "");
    project.write("stacks/x/usecase.yaml", "bedplate: 1\nname: x\nregion: us-west-2\ntemplate: template.yaml\n");
    project.write("stacks/x/template.yaml", template);
    let run = project.run(&["check", "x"]);
    let told = run.stdout.lines().filter(|line| line.starts_with("error[") || line.starts_with("warning["));
    told.collect::<Vec<_>>().join("\n")
}

#[test]
fn keys_of_sections_are_held_to_no_more_than_cloudformation_holds_them_to() {
    assert_eq!(
        checked(
            "Metadata:\n  AWS::CloudFormation::Interface: { ParameterGroups: [] }\n  any key: 1\nParameters: { P1: { Type: String, \
             Default: a } }\nConditions: { 'A&B': !Equals [!Ref P1, b] }\nMappings: { by.region: { us-west-2: { x: y } } \
             }\nResources: { T: { Type: AWS::SNS::Topic, Condition: 'A&B' } }\n"
        ),
        ""
    );
    // What it does hold to letters and digits, and what is no resource, is told at the template's line.
    for (body, line) in [
        ("  my-topic:\n    Type: AWS::SNS::Topic\n", 2),
        ("  T: { Type: AWS::SNS::Topic }\n  Untyped:\n    Properties: {}\n", 3),
    ] {
        let project = Project::empty();
        project.write("bedplate.yaml", "");
        project.write("stacks/x/usecase.yaml", "bedplate: 1\nname: x\ntemplate: template.yaml\n");
        project.write("stacks/x/template.yaml", format!("Resources:\n{body}"));
        let run = project.run(&["check", "x"]);
        assert!(run.code == 1 && run.stdout.contains(&format!("stacks/x/template.yaml:{line}:3")), "{}", run.session());
    }
}

#[test]
fn loops_stand_wherever_the_transform_allows_them() {
    let template = "Transform: AWS::LanguageExtensions\nConditions:\n  Fn::ForEach::Cs: [C, [Red, Blue], { 'Is${C}': !Equals [!Ref \
                    AWS::Region, !Ref C] }]\nResources:\n  Fn::ForEach::Topics:\n    - Name\n    - [Red, Blue]\n    - Topic${Name}:\n        \
                    Type: AWS::SNS::Topic\n        Properties: { DisplayName: !Ref Name }\nOutputs:\n  Fn::ForEach::Names: [N, [Red, Blue], { \
                    'Out${N}': { Value: !Ref N } }]\n";
    assert_eq!(checked(template), "");
    let project = Project::empty();
    project.write("bedplate.yaml", "");
    project.write("stacks/x/usecase.yaml", "bedplate: 1\nname: x\ntemplate: template.yaml\n");
    project.write("stacks/x/template.yaml", template);
    let run = project.run(&["deploy", "x", "--yes"]).ok();
    assert!(run.stdout.contains("OutRed = Red") && run.stderr.contains("TopicBlue"), "{}", run.session());
    let _ = project.run(&["destroy", "x", "--yes"]).ok();
}

#[test]
fn a_default_that_does_not_fit_is_a_warning_and_none_where_a_condition_guards_it() {
    let ingress = |condition: &str| {
        format!(
            "Parameters: {{ Port: {{ Type: String, Default: '' }} }}\nConditions: {{ HasPort: !Not [!Equals [!Ref Port, '']] }}\nResources:\n  \
             T: {{ Type: AWS::SNS::Topic }}\n  I:\n    Type: AWS::EC2::SecurityGroupIngress\n{condition}    Properties: {{ GroupId: sg-12345678, \
             IpProtocol: tcp, CidrIp: 10.0.0.0/8, FromPort: !Ref Port, ToPort: 80 }}\n"
        )
    };
    assert_eq!(checked(&ingress("    Condition: HasPort\n")), "");
    let told = checked(&ingress(""));
    assert!(
        told.starts_with("warning[T214]: `FromPort` takes the parameter `Port`, whose default")
            && told.lines().count() == 1,
        "{told}"
    );
    // No value that it allows fits: nothing can be given.
    let told = checked(
        "Parameters: { Days: { Type: Number, AllowedValues: [2, 4] } }\nResources: { L: { Type: AWS::Logs::LogGroup, Properties: { \
         RetentionInDays: !Ref Days } } }\n",
    );
    assert!(told.starts_with("error[T205]"), "{told}");
}

#[test]
fn a_policy_may_be_json_text_and_an_endpoint_may_have_the_policy_it_has_by_default() {
    let role = |text: &str| {
        format!(
            "Resources:\n  R:\n    Type: AWS::IAM::Role\n    Properties:\n      AssumeRolePolicyDocument: '{text}'\n"
        )
    };
    let trust = |principal: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{principal},"Action":"sts:AssumeRole"}}]}}"#
        )
    };
    assert_eq!(checked(&role(&trust(r#"{"Service":"lambda.amazonaws.com"}"#))), "");
    assert!(checked(&role(&trust("\"*\""))).contains("I006"), "a text is read, not passed over");
    assert!(checked(&role("not a policy")).contains("I007"));
    assert_eq!(
        checked(
            "Resources:\n  V: { Type: AWS::EC2::VPC, Properties: { CidrBlock: 10.0.0.0/16 } }\n  E:\n    Type: AWS::EC2::VPCEndpoint\n    \
             Properties:\n      VpcId: !Ref V\n      ServiceName: !Sub com.amazonaws.${AWS::Region}.dynamodb\n      PolicyDocument: { Version: \
             '2012-10-17', Statement: [{ Effect: Allow, Action: '*', Principal: '*', Resource: '*' }] }\n"
        ),
        ""
    );
}

/// CloudFormation takes functions for both policies, with the transform and without: its user guide ("Intrinsic function
/// references in DeletionPolicy and UpdateReplacePolicy attributes") and a stack recorded on AWS by LocalStack on 2026-01-23.
#[test]
fn a_policy_of_a_resource_is_what_its_condition_says() {
    let template = |transform: &str, policy: &str| {
        format!(
            "{transform}Parameters: {{ Stage: {{ Type: String, Default: test }}, Policy: {{ Type: String, Default: Retain }} }}\nConditions: \
             {{ Kept: !Equals [!Ref Stage, live] }}\nResources:\n  B: {{ Type: AWS::S3::Bucket, DeletionPolicy: {policy}, UpdateReplacePolicy: \
             {policy} }}\n  T: {{ Type: AWS::SNS::Topic }}\n"
        )
    };
    for transform in ["", "Transform: AWS::LanguageExtensions\n"] {
        assert_eq!(checked(&template(transform, "!If [Kept, Retain, Delete]")), "");
        assert_eq!(checked(&template(transform, "!Ref Policy")), "");
        let told = checked(&template(transform, "!If [Kept, Retain, Drop]"));
        assert!(told.starts_with("error[T008]") && told.contains("`Drop`"), "{told}");
        let told = checked(&template(transform, "!Ref Stage"));
        assert!(told.starts_with("warning[T214]") && told.contains("`test`"), "{told}");
        assert!(checked(&template(transform, "!If [Gone, Retain, Delete]")).contains("T103"));
        assert!(checked(&template(transform, "{ A: b }")).contains("T008"));
    }
    let project = Project::empty();
    project.write("bedplate.yaml", "");
    project.write("stacks/x/usecase.yaml", "bedplate: 1\nname: x\nregion: us-west-2\ntemplate: template.yaml\n");
    project.write("stacks/x/template.yaml", template("", "!If [Kept, Retain, Delete]"));
    let _ = project.run(&["deploy", "x", "--yes", "--parameter", "Stage=live"]).ok();
    // What was kept and no longer is, is data lost to whoever decides.
    let plan = project.run(&["plan", "x", "--parameter", "Stage=test"]).ok();
    assert!(plan.stdout.contains("`DeletionPolicy` is no longer `Retain`"), "{}", plan.session());
    let gone = project.run(&["destroy", "x", "--yes"]);
    assert!(
        gone.stdout.contains("Retain") || gone.stderr.contains("Retain") || gone.stderr.contains("stays"),
        "{}",
        gone.session()
    );
    assert!(!gone.stderr.contains("DELETE_COMPLETE B"), "{}", gone.session());
    // And the other way: nothing of it remains.
    project.write("stacks/x/usecase.yaml", "bedplate: 1\nname: y\nregion: us-west-2\ntemplate: template.yaml\n");
    let _ = project.run(&["deploy", "x", "--yes"]).ok();
    let gone = project.run(&["destroy", "x", "--yes"]).ok();
    assert!(gone.stderr.contains("nothing of it remains"), "{}", gone.session());
    // A text that is no policy is refused before anything is made.
    project.write("stacks/x/usecase.yaml", "bedplate: 1\nname: z\nregion: us-west-2\ntemplate: template.yaml\n");
    project.write("stacks/x/template.yaml", template("", "!Ref Stage"));
    let run = project.run(&["deploy", "x", "--yes"]);
    assert!(run.code == 1 && run.stderr.contains("must be one of"), "{}", run.session());
}

#[test]
fn an_empty_text_is_no_policy_of_an_api() {
    let api = |kind: &str, policy: &str| {
        format!(
            "Resources:\n  A:\n    Type: AWS::ApiGateway::RestApi\n    Properties:\n      Name: a\n      EndpointConfiguration: {{ Types: \
             [{kind}] }}\n      Policy: {policy}\n"
        )
    };
    assert_eq!(checked(&api("EDGE", "''")), "");
    assert!(
        checked(&api("EDGE", "some text")).contains("error[I007]: this is not a policy document: a policy document is")
    );
    // What only says what is so without it opens nothing; in front of a private API it does.
    let everyone = "{ Version: '2012-10-17', Statement: [{ Effect: Allow, Principal: '*', Action: 'execute-api:Invoke', Resource: '*' }] }";
    assert_eq!(checked(&api("REGIONAL", everyone)).matches("I006").count(), 0);
    assert_eq!(checked(&api("PRIVATE", everyone)).matches("error[I006]").count(), 1);
    let guarded = "{ Version: '2012-10-17', Statement: [{ Effect: Allow, Principal: '*', Action: 'execute-api:Invoke', Resource: \
                   'execute-api:/*' }, { Effect: Deny, Principal: '*', Action: 'execute-api:Invoke', Resource: 'execute-api:/*', \
                   Condition: { StringNotEquals: { 'aws:SourceVpc': vpc-1 } } }] }";
    assert_eq!(checked(&api("PRIVATE", guarded)), "");
}

#[test]
fn what_is_public_on_purpose_is_accepted_with_a_reason() {
    let template = "Resources:\n  Site: { Type: AWS::S3::Bucket, DeletionPolicy: Delete, UpdateReplacePolicy: Delete, Properties: { \
                    PublicAccessBlockConfiguration: { BlockPublicPolicy: false, RestrictPublicBuckets: false } } }\n  Open:\n    Type: \
                    AWS::S3::BucketPolicy\n    Properties:\n      Bucket: !Ref Site\n      PolicyDocument:\n        Version: \
                    '2012-10-17'\n        Statement:\n          - { Effect: Allow, Principal: '*', Action: 's3:GetObject', Resource: !Sub \
                    '${Site.Arn}/*' }\n";
    let project = Project::empty();
    project.write("bedplate.yaml", "");
    project.write("stacks/x/template.yaml", template);
    let mut spec = "bedplate: 1\nname: x\nregion: us-west-2\ntemplate: template.yaml\n".to_owned();
    project.write("stacks/x/usecase.yaml", &spec);
    let run = project.run(&["check", "x"]);
    assert!(run.code == 1 && run.stdout.contains("error[I006]"), "{}", run.session());
    assert!(run.stdout.contains("stacks/x/template.yaml:10:"), "at its line: {}", run.session());
    spec.push_str("accept:\n  - { finding: I006, resource: Open, reason: a site for everyone }\n");
    project.write("stacks/x/usecase.yaml", &spec);
    let run = project.run(&["check", "x"]).ok();
    assert!(
        run.stdout.contains("note[I006]") && run.stdout.contains("accepted: a site for everyone"),
        "{}",
        run.session()
    );
    // It is still asked for when it comes to be.
    let _ = project.run(&["deploy", "x", "--yes"]).ok();
    project.write("stacks/x/template.yaml", template.replace("s3:GetObject", "s3:GetObject*"));
    let plan = project.run(&["deploy", "x", "--yes"]);
    assert!(plan.code == 4 && plan.stderr.contains("public"), "{}", plan.session());
    let _ = project.run(&["destroy", "x", "--yes"]).ok();
    for (accept, told) in [
        ("{ finding: I006, resource: Site, reason: none }", "warning[R190]"),
        ("{ finding: T202, resource: Site, reason: none }", "error[S290]"),
        ("{ finding: I006, resource: Open }", "error[S011]"),
        ("{ finding: I006, resource: Open, reason: ' ' }", "error[S0"),
    ] {
        let spec = format!("bedplate: 1\nname: x\nregion: us-west-2\ntemplate: template.yaml\naccept:\n  - {accept}\n");
        project.write("stacks/x/usecase.yaml", spec);
        let run = project.run(&["check", "x"]);
        assert!(run.stdout.contains(told), "{accept}: {}", run.session());
    }
}

/// PyYAML 6 reads both texts so; the words are those that it gives.
#[test]
fn a_text_in_quotes_may_go_on_at_the_depth_of_its_key() {
    let template = "Resources:\n  Topic:\n    Type: AWS::SNS::Topic\n    Properties:\n      DisplayName: \"a text that goes \\\"on\\\"\n      in \
                    the next line\n\n      and after a blank one\"\n  Other:\n    Type: AWS::SNS::Topic\n    Properties:\n      DisplayName: 'it''s\n  \
                    the second'\n";
    assert_eq!(checked(template), "");
    let read = bedplate::yaml::parse_cloudformation(template).expect("a document").value;
    let name = |id: &str| read.pointer(&format!("/Resources/{id}/Properties/DisplayName")).cloned();
    assert_eq!(name("Topic"), Some("a text that goes \"on\" in the next line\nand after a blank one".into()));
    assert_eq!(name("Other"), Some("it's the second".into()));
    // A quote that is not closed is still told where it begins, and in a spec of our own it is in both cases.
    let open = bedplate::yaml::parse_cloudformation("a:\n  b: \"never\n  c: closed\n").expect_err("no document");
    assert_eq!((open.line, open.column), (2, 6), "{open}");
    assert!(bedplate::yaml::parse(template).is_err());
}
