//! Text that CloudFormation puts together: literals, `Ref`s and `Fn::GetAtt`s in a row.

use serde_json::{Map, Value, json};

/// A stretch of an [`Expression`].
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Ref(String),
    GetAtt(String, String),
    /// A list parameter, as the text it was given as.
    List(String),
}

/// Text with CloudFormation references in it. Whatever its literals hold, its value evaluates to exactly them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Expression(Vec<Part>);

impl Expression {
    /// Plain text.
    pub(super) fn literal(text: impl Into<String>) -> Self {
        Self(vec![Part::Literal(text.into())])
    }

    /// A `Ref`.
    pub(super) fn reference(id: impl Into<String>) -> Self {
        Self(vec![Part::Ref(id.into())])
    }

    /// A parameter that holds a list, its items with commas between them: a `Ref` alone would give a list where text is
    /// wanted.
    pub(super) fn list(id: impl Into<String>) -> Self {
        Self(vec![Part::List(id.into())])
    }

    /// A `Fn::GetAtt`.
    pub(super) fn attribute(id: impl Into<String>, attribute: impl Into<String>) -> Self {
        Self(vec![Part::GetAtt(id.into(), attribute.into())])
    }

    /// An ARN in the stack's partition, region and account: `arn:P:service:R:A:rest`.
    pub(super) fn arn(service: &str, resource: Expression) -> Self {
        Self::literal("arn:")
            .then(Self::reference("AWS::Partition"))
            .text(format!(":{service}:"))
            .then(Self::reference("AWS::Region"))
            .text(":")
            .then(Self::reference("AWS::AccountId"))
            .text(":")
            .then(resource)
    }

    /// With plain text after it.
    #[must_use]
    pub(super) fn text(self, text: impl Into<String>) -> Self {
        self.then(Self::literal(text))
    }

    /// With another expression after it.
    #[must_use]
    pub(super) fn then(mut self, other: Expression) -> Self {
        for part in other.0 {
            match (self.0.last_mut(), part) {
                (_, Part::Literal(text)) if text.is_empty() => {}
                (Some(Part::Literal(last)), Part::Literal(text)) => last.push_str(&text),
                (_, part) => self.0.push(part),
            }
        }
        self
    }

    /// Its text, when no reference is in it.
    pub(super) fn as_literal(&self) -> Option<&str> {
        match self.0.as_slice() {
            [] => Some(""),
            [Part::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// As CloudFormation has it: text, `Ref`, `Fn::GetAtt`, `Fn::Sub`, or `Fn::Join` where a literal holds what `Fn::Sub`
    /// could take for a reference.
    pub(super) fn value(&self) -> Value {
        match self.0.as_slice() {
            [] => json!(""),
            [Part::Literal(text)] => json!(text),
            [one] => one.value(),
            parts if parts.iter().any(Part::is_unsafe_in_sub) => {
                json!({ "Fn::Join": ["", parts.iter().map(Part::value).collect::<Vec<_>>()] })
            }
            parts => {
                let text: String = parts.iter().map(Part::in_sub).collect();
                let variables: Map<String, Value> = parts.iter().filter_map(Part::variable).collect();
                if variables.is_empty() { json!({ "Fn::Sub": text }) } else { json!({ "Fn::Sub": [text, variables] }) }
            }
        }
    }
}

impl Part {
    fn value(&self) -> Value {
        match self {
            Part::Literal(text) => json!(text),
            Part::Ref(id) => json!({ "Ref": id }),
            Part::GetAtt(id, attribute) => json!({ "Fn::GetAtt": [id, attribute] }),
            Part::List(id) => json!({ "Fn::Join": [",", { "Ref": id }] }),
        }
    }

    fn in_sub(&self) -> String {
        match self {
            Part::Literal(text) => text.clone(),
            Part::Ref(id) | Part::List(id) => format!("${{{id}}}"),
            Part::GetAtt(id, attribute) => format!("${{{id}.{attribute}}}"),
        }
    }

    /// What `Fn::Sub` must be told beside its text.
    fn variable(&self) -> Option<(String, Value)> {
        match self {
            Part::List(id) => Some((id.clone(), self.value())),
            _ => None,
        }
    }

    /// A `${` of the author's, or a `$` that could run into the `${` of the next part.
    fn is_unsafe_in_sub(&self) -> bool {
        matches!(self, Part::Literal(text) if text.contains("${") || text.ends_with('$'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_the_plainest_that_holds() {
        assert_eq!(Expression::literal("a ${b}").value(), json!("a ${b}"));
        assert_eq!(Expression::reference("Bucket").value(), json!({ "Ref": "Bucket" }));
        assert_eq!(Expression::attribute("F", "Arn").value(), json!({ "Fn::GetAtt": ["F", "Arn"] }));
        assert_eq!(
            Expression::literal("x-").then(Expression::reference("B")).then(Expression::attribute("F", "Arn")).value(),
            json!({ "Fn::Sub": "x-${B}${F.Arn}" })
        );
        assert_eq!(
            Expression::literal("${B} is ").then(Expression::reference("B")).value(),
            json!({ "Fn::Join": ["", ["${B} is ", { "Ref": "B" }]] })
        );
        assert_eq!(
            Expression::literal("costs $").then(Expression::reference("B")).value(),
            json!({ "Fn::Join": ["", ["costs $", { "Ref": "B" }]] })
        );
    }

    #[test]
    fn a_list_is_joined_wherever_text_is_wanted() {
        let joined = json!({ "Fn::Join": [",", { "Ref": "L" }] });
        assert_eq!(Expression::list("L").value(), joined);
        assert_eq!(
            Expression::literal("x-").then(Expression::list("L")).then(Expression::reference("B")).value(),
            json!({ "Fn::Sub": ["x-${L}${B}", { "L": joined }] })
        );
        assert_eq!(
            Expression::literal("${x} ").then(Expression::list("L")).value(),
            json!({ "Fn::Join": ["", ["${x} ", joined]] })
        );
    }

    #[test]
    fn literals_in_a_row_are_one() {
        assert_eq!(Expression::literal("a").text("").text("b").as_literal(), Some("ab"));
        assert_eq!(Expression::default().value(), json!(""));
    }
}
