//! What a template is made of.

/// A piece of a template.
#[derive(Debug, Clone)]
pub(super) enum Node {
    /// Text as it stands.
    Text(String),
    /// A reference whose value is written.
    Reference {
        /// The reference.
        reference: VelocityReference,
        /// As it stands in the template, to be written where it has no value.
        source: String,
        /// How many backslashes stand before it.
        slashes: usize,
        /// Whether nothing is written where it has no value: `$!x`.
        quiet: bool,
    },
    /// `#set(target = value)`.
    Set {
        /// What is set.
        target: VelocityReference,
        /// To what.
        value: Expression,
        /// The line.
        line: usize,
    },
    /// `#if`, `#elseif`, `#else`.
    If {
        /// Conditions and what each lets through.
        branches: Vec<(Expression, Vec<Node>)>,
        /// What is written when none holds.
        otherwise: Vec<Node>,
    },
    /// `#foreach($x in list)`.
    Foreach {
        /// The variable.
        variable: String,
        /// What is gone through.
        over: Expression,
        /// What is written for each.
        body: Vec<Node>,
        /// The line.
        line: usize,
    },
    /// `#break`.
    Break,
    /// `#stop`.
    Stop,
}

/// A reference: a variable and what is taken from it.
#[derive(Debug, Clone)]
pub(super) struct VelocityReference {
    /// The variable's name.
    pub name: String,
    /// Properties, methods and indexes, in order.
    pub steps: Vec<ReferenceStep>,
    /// The line.
    pub line: usize,
}

/// What is taken from a value.
#[derive(Debug, Clone)]
pub(super) enum ReferenceStep {
    /// `.name`.
    Property(String),
    /// `.name(arguments)`.
    Method(String, Vec<Expression>),
    /// `[index]`.
    Index(Box<Expression>),
}

/// An expression.
#[derive(Debug, Clone)]
pub(super) enum Expression {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// A text in single quotes.
    Text(String),
    /// A text in double quotes, which is a template itself.
    Template(Vec<Node>),
    /// `[a, b]`.
    List(Vec<Expression>),
    /// `[a..b]`.
    Range(Box<(Expression, Expression)>),
    /// `{a: b}`.
    Map(Vec<(Expression, Expression)>),
    /// A reference's value.
    Reference(VelocityReference),
    /// `!a`.
    Not(Box<Expression>),
    /// `a op b`.
    Binary(Operator, Box<(Expression, Expression)>),
}

/// What combines two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    /// `||`
    Or,
    /// `&&`
    And,
    /// `==`
    Equal,
    /// `!=`
    Unequal,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Remainder,
}
