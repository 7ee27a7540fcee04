//! Words and signs of an expression.

/// One word or sign, as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A name, a keyword or a function.
    Word(String),
    /// `#name`.
    Name(String),
    /// `:value`.
    Value(String),
    /// The digits of an index.
    Digits(String),
    /// Anything else: `=`, `<>`, `(`, `.` and so on.
    Sign(&'static str),
    /// A character that belongs to no expression.
    Strange(char),
}

impl Token {
    /// As it is written.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Word(text) | Self::Name(text) | Self::Value(text) | Self::Digits(text) => text.clone(),
            Self::Sign(sign) => (*sign).to_owned(),
            Self::Strange(character) => character.to_string(),
        }
    }

    /// Whether it is this keyword, in any case.
    pub(super) fn is_keyword(&self, keyword: &str) -> bool {
        matches!(self, Self::Word(word) if word.eq_ignore_ascii_case(keyword))
    }
}

/// Longer signs first: `<=` is not `<` and `=`.
const SIGNS: &[&str] = &["<>", "<=", ">=", "=", "<", ">", "(", ")", "[", "]", ",", ".", "+", "-"];

/// Takes an expression apart.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if first.is_whitespace() {
            rest = rest.trim_start();
            continue;
        }
        if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            tokens.push(Token::Sign(sign));
            rest = rest.get(sign.len()..).unwrap_or_default();
            continue;
        }
        let in_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let start = first.len_utf8();
        let (take, make): (usize, fn(String) -> Token) = match first {
            '#' | ':' => {
                let make = if first == '#' { Token::Name } else { Token::Value };
                (start + rest.chars().skip(1).take_while(|c| in_word(*c)).count(), make)
            }
            '0'..='9' => (rest.chars().take_while(char::is_ascii_digit).count(), Token::Digits),
            c if in_word(c) => (rest.chars().take_while(|c| in_word(*c)).count(), Token::Word),
            c => {
                tokens.push(Token::Strange(c));
                rest = rest.get(start..).unwrap_or_default();
                continue;
            }
        };
        let (word, after) = rest.split_at_checked(take).unwrap_or((rest, ""));
        tokens.push(make(word.to_owned()));
        rest = after;
    }
    tokens
}
