//! Texts in quotes whose further lines are not indented below their key. YAML 1.2 wants them to be; PyYAML and with it
//! CloudFormation and the AWS CLI take them all the same, and templates of the field have them. So it is with
//! the further lines of lists and mappings in brackets.

/// How much text is read again, in bytes, for the sake of such texts.
const READ_AGAIN: usize = 4 << 20;

/// How often a document is read again at most.
pub(super) fn attempts(text: &str) -> usize {
    (READ_AGAIN / text.len().max(1)).min(64)
}

/// The document with the further lines of the text in quotes that begins at a place (line and column from 1) indented
/// enough; none where no such text begins there. The text stays the same: YAML leaves out what indents its lines.
pub(super) fn indented(document: &str, (line, column): (usize, usize)) -> Option<String> {
    let start = document.split_inclusive('\n').take(line.checked_sub(1)?).map(str::len).sum::<usize>();
    let first = document.get(start..)?;
    let before: usize = first.chars().take(column.checked_sub(1)?).map(char::len_utf8).sum();
    let begin = start + before;
    let end = begin + length(document.get(begin..)?)?;
    let (head, text) = (document.get(..begin)?, document.get(begin..end)?);
    if !text.contains('\n') {
        return None;
    }
    let indent = " ".repeat(column);
    let lines: Vec<String> = text
        .split('\n')
        .enumerate()
        .map(
            |(index, line)| {
                if index == 0 || line.trim().is_empty() { line.to_owned() } else { format!("{indent}{line}") }
            },
        )
        .collect();
    Some(format!("{head}{}{}", lines.join("\n"), document.get(end..)?))
}

/// The document with a line inside brackets indented enough, which begins at a place; none for any other error, as no other
/// is told in these words of the parser's.
pub(super) fn indented_in_brackets(document: &str, message: &str, (line, column): (usize, usize)) -> Option<String> {
    if !["invalid indentation", "invalid indentation in flow construct"].iter().any(|words| message.ends_with(words)) {
        return None;
    }
    let start = document.split_inclusive('\n').take(line.checked_sub(1)?).map(str::len).sum::<usize>();
    let (head, rest) = document.split_at_checked(start)?;
    let is_first = rest.chars().take(column.checked_sub(1)?).all(|c| c == ' ');
    // No block of a template is as deep as this.
    is_first.then(|| format!("{head}{}{rest}", " ".repeat(256)))
}

/// How many bytes the text in quotes takes that a string begins with, its quotes included.
fn length(text: &str) -> Option<usize> {
    let quote = text.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        if character == '\\' && quote == '"' {
            characters.next();
        } else if character == quote {
            // Within single quotes, two of them are one.
            if quote == '\'' && characters.peek().is_some_and(|(_, next)| *next == quote) {
                characters.next();
            } else {
                return Some(at + 1);
            }
        }
    }
    None
}
