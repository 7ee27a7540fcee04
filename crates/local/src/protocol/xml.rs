//! Writing XML that always parses, whatever the values hold.

/// Appends text with everything XML gives a meaning escaped.
///
/// Control characters that XML 1.0 cannot carry even escaped become U+FFFD, so a reader sees that something was there.
pub fn escape_into(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            // A reader would normalise a bare carriage return away.
            '\r' => out.push_str("&#13;"),
            '\t' | '\n' => out.push(c),
            c if (c as u32) < 0x20 || c == '\u{FFFE}' || c == '\u{FFFF}' => out.push('\u{FFFD}'),
            c => out.push(c),
        }
    }
}

/// Escaped text, see [`escape_into`].
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    escape_into(&mut out, text);
    out
}

/// The text that was escaped, of simple content.
pub fn unescape(text: &str) -> String {
    quick_xml::escape::unescape(text).map_or_else(|_| text.to_owned(), std::borrow::Cow::into_owned)
}

/// Appends `<name>text</name>`.
pub fn element(out: &mut String, name: &str, text: &str) {
    open(out, name);
    escape_into(out, text);
    close(out, name);
}

/// Appends `<name>`.
pub fn open(out: &mut String, name: &str) {
    out.push('<');
    out.push_str(name);
    out.push('>');
}

/// Appends `</name>`.
pub fn close(out: &mut String, name: &str) {
    out.push_str("</");
    out.push_str(name);
    out.push('>');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_xml_cannot_carry_is_replaced_and_the_rest_escaped() {
        assert_eq!(escape("a<b>&\"'\u{0}\u{1b}\r\n\t"), "a&lt;b&gt;&amp;&quot;&apos;\u{FFFD}\u{FFFD}&#13;\n\t");
    }

    proptest! {
        #[test]
        fn any_text_comes_back_from_a_reader_as_it_was(text in "[\\PC\r\n\t&<>'\"]*") {
            let mut xml = String::new();
            element(&mut xml, "a", &text);
            let mut reader = quick_xml::Reader::from_str(&xml);
            let mut seen = String::new();
            loop {
                match reader.read_event().expect("well formed") {
                    quick_xml::events::Event::Text(part) => {
                        seen.push_str(&part.xml10_content());
                    }
                    quick_xml::events::Event::GeneralRef(part) => {
                        match part.resolve_char_ref().expect("a known character") {
                            Some(c) => seen.push(c),
                            None => {
                                let name = part.into_inner();
                                seen.push_str(quick_xml::escape::resolve_predefined_entity(&name).expect("predefined"));
                            }
                        }
                    }
                    quick_xml::events::Event::Eof => break,
                    _ => {}
                }
            }
            prop_assert_eq!(seen, text);
        }
    }
}
