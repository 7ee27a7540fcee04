//! The text of a file, by the ending of its name.

/// The largest file that is read, in bytes. Source: Bedrock quotas, knowledge bases.
const LARGEST: u64 = 50 << 20;

/// What documents' metadata files end with.
pub(super) const METADATA: &str = ".metadata.json";

/// Why a file of a name and size is not read, if that is clear before reading it.
pub(super) fn refusal(key: &str, size: u64) -> Option<String> {
    let ending = ending(key);
    match ending.as_str() {
        _ if size > LARGEST => Some(format!("the file has more than {LARGEST} bytes")),
        "txt" | "md" | "html" | "htm" | "csv" | "pdf" => None,
        "doc" | "docx" | "xls" | "xlsx" | "jpeg" | "jpg" | "png" => {
            Some(format!("the local target can't read files of the format {ending}"))
        }
        _ => Some("the file format is not supported".to_owned()),
    }
}

fn ending(key: &str) -> String {
    let name = key.rsplit('/').next().unwrap_or(key);
    name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default()
}

/// The text of a file.
///
/// # Errors
///
/// In words, when it can't be read.
pub(super) fn text(key: &str, bytes: &[u8]) -> Result<String, String> {
    let text = match ending(key).as_str() {
        "pdf" => of_pdf(bytes)?,
        kind => {
            let text = String::from_utf8(bytes.to_vec()).map_err(|_| "the file is not text in UTF-8".to_owned())?;
            if matches!(kind, "html" | "htm") { of_html(&text) } else { text }
        }
    };
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    if text.trim().is_empty() {
        return Err("the file has no text".to_owned());
    }
    Ok(text)
}

/// The most bytes that one stream, one page's content or one font's table of a PDF may inflate to.
const PDF_STREAM: usize = 4 << 20;
/// The least that a stream may inflate to, however many there are.
const PDF_SMALL_STREAM: usize = 128 << 10;
/// The most bytes that all streams read while a PDF is opened may inflate to, where they are not very many.
const PDF_STREAMS: usize = 256 << 20;
/// The most bytes of content that the pages of a PDF and their fonts may have, each time they are looked at.
const PDF_CONTENT: usize = 32 << 20;
/// The most pages that are read.
const PDF_PAGES: usize = 5_000;

fn of_pdf(bytes: &[u8]) -> Result<String, String> {
    let wrong = |error: lopdf::Error| format!("the PDF can't be read: {error}");
    // A small file may inflate to any size, and streams are inflated before anybody can look at what is in them.
    let streams = bytes.windows(6).filter(|window| window == b"stream").count();
    let options = lopdf::LoadOptions {
        max_decompressed_size: Some((PDF_STREAMS / streams.max(1)).clamp(PDF_SMALL_STREAM, PDF_STREAM)),
        ..lopdf::LoadOptions::default()
    };
    let document = lopdf::Document::load_mem_with_options(bytes, options).map_err(wrong)?;
    if document.is_encrypted() {
        return Err("the PDF is encrypted".to_owned());
    }
    let pages = document.get_pages();
    if pages.len() > PDF_PAGES {
        return Err(format!("the PDF has {} pages, and the local target reads {PDF_PAGES}", pages.len()));
    }
    let mut left = PDF_CONTENT;
    for id in pages.values() {
        let content = document.get_page_content_with_limit(*id, left.min(PDF_STREAM)).map_err(wrong)?.len();
        let tables: usize = document
            .get_page_fonts(*id)
            .map_err(wrong)?
            .values()
            .filter_map(|font| font.get_deref(b"ToUnicode", &document).and_then(lopdf::Object::as_stream).ok())
            .map(|table| table.decompressed_content_with_limit(PDF_STREAM).map_or(PDF_STREAM, |table| table.len()))
            .sum();
        left = left
            .checked_sub(content.saturating_add(tables))
            .ok_or_else(|| format!("the pages of the PDF have more than {PDF_CONTENT} bytes of content and fonts"))?;
    }
    let pages: Vec<u32> = pages.into_keys().collect();
    document.extract_text_with_limit(&pages, PDF_STREAM).map_err(wrong)
}

/// The text between tags: lines where blocks end, headings marked, nothing of scripts and styles.
fn of_html(html: &str) -> String {
    let mut out = String::with_capacity(html.len() / 2);
    let mut rest = html;
    while let Some((before, after)) = rest.split_once('<') {
        push_text(&mut out, before);
        if let Some(comment) = after.strip_prefix("!--") {
            rest = comment.split_once("-->").map(|(_, rest)| rest).unwrap_or_default();
            continue;
        }
        let Some((tag, behind)) = after.split_once('>') else { break };
        let closing = tag.starts_with('/');
        let name: String = tag
            .trim_start_matches('/')
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .collect::<String>()
            .to_lowercase();
        rest = behind;
        match name.as_str() {
            "script" | "style" | "head" if !closing => {
                let end = format!("</{name}");
                rest = find_any_case(behind, &end).and_then(|at| behind.get(at..)).unwrap_or_default();
            }
            "h1" if !closing => out.push_str("\n\n# "),
            "h2" | "h3" | "h4" | "h5" | "h6" if !closing => out.push_str("\n\n## "),
            "li" if !closing => out.push_str("\n- "),
            "td" | "th" if closing => out.push_str(" | "),
            "br" | "tr" => out.push('\n'),
            "p" | "div" | "ul" | "ol" | "table" | "section" | "article" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                out.push_str("\n\n");
            }
            _ => {}
        }
    }
    push_text(&mut out, rest);
    out
}

/// Where a text of lower-case ASCII stands, in whatever case; looked for from the beginning to where it is and no further.
fn find_any_case(text: &str, wanted: &str) -> Option<usize> {
    text.as_bytes().windows(wanted.len()).position(|window| window.eq_ignore_ascii_case(wanted.as_bytes()))
}

fn push_text(out: &mut String, text: &str) {
    let text = [
        ("&nbsp;", " "),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&apos;", "'"),
        ("&amp;", "&"),
    ]
    .iter()
    .fold(text.to_owned(), |text, (entity, plain)| text.replace(entity, plain));
    for (at, word) in text.split_whitespace().enumerate() {
        let spaced = at > 0 || text.starts_with(char::is_whitespace);
        if spaced && !out.is_empty() && !out.ends_with(char::is_whitespace) {
            out.push(' ');
        }
        out.push_str(word);
    }
    if text.ends_with(char::is_whitespace) && !out.is_empty() && !out.ends_with(char::is_whitespace) {
        out.push(' ');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_is_read_without_tags_scripts_and_styles() {
        let html = "<html><head><title>t</title></head><body><h1>Leave</h1><script>x<y</script><p>12 days &amp; <b>no</b> more.</p><ul><li>one</li></ul></body>";
        let text = text("a/page.HTML", html.as_bytes()).expect("text");
        assert!(text.contains("# Leave") && text.contains("12 days & no more.") && text.contains("- one"), "{text}");
        assert!(!text.contains("x<y") && !text.contains("title"), "{text}");
    }

    #[test]
    fn what_can_not_be_read_says_why() {
        assert_eq!(refusal("a/b.md", 10), None);
        assert!(refusal("a.docx", 10).is_some_and(|why| why.contains("docx")));
        assert!(refusal("a.exe", 10).is_some_and(|why| why.contains("not supported")));
        assert!(refusal("a.md", 51 << 20).is_some());
        assert!(text("a.txt", &[0xff, 0xfe]).is_err_and(|why| why.contains("UTF-8")));
        assert!(text("a.pdf", b"no pdf").is_err_and(|why| why.contains("PDF")));
        assert!(text("a.md", b" \n").is_err_and(|why| why.contains("no text")));
    }

    #[test]
    fn a_pdf_is_read() {
        use lopdf::content::{Content, Operation};
        use lopdf::{Document, Object, Stream, dictionary};
        let mut document = Document::with_version("1.5");
        let pages = document.new_object_id();
        let font = document.add_object(dictionary! {"Type" => "Font", "Subtype" => "Type1", "BaseFont" => "Courier"});
        let resources = document.add_object(dictionary! {"Font" => dictionary! {"F1" => font}});
        let operations = vec![
            Operation::new("BT", vec![]),
            Operation::new("Tf", vec!["F1".into(), 12.into()]),
            Operation::new("Tj", vec![Object::string_literal("Employees have 12 days of leave.")]),
            Operation::new("ET", vec![]),
        ];
        let content = Content { operations }.encode().expect("content");
        let content = document.add_object(Stream::new(dictionary! {}, content));
        let page = document.add_object(
            dictionary! {"Type" => "Page", "Parent" => pages, "Contents" => content, "Resources" => resources},
        );
        document.objects.insert(
            pages,
            Object::Dictionary(dictionary! {"Type" => "Pages", "Kids" => vec![page.into()], "Count" => 1}),
        );
        let catalog = document.add_object(dictionary! {"Type" => "Catalog", "Pages" => pages});
        document.trailer.set("Root", catalog);
        let mut bytes = Vec::new();
        document.save_to(&mut bytes).expect("a PDF");
        assert!(text("leave.pdf", &bytes).expect("text").contains("12 days of leave"));
    }

    #[test]
    fn many_scripts_cost_no_more_than_one() {
        let html = format!("<body>{}<p>the end</p></body>", "<SCRIPT>x</Script>".repeat(200_000));
        let began = std::time::Instant::now();
        assert_eq!(text("a.html", html.as_bytes()).expect("text").trim(), "the end");
        assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
    }

    /// A PDF of so many pages, all with one content that was deflated once more than the other times.
    fn pdf(pages: usize, content: &[u8], times: usize) -> Vec<u8> {
        use std::io::Write as _;

        use lopdf::{Document, Object, Stream, dictionary};
        let mut content = content.to_vec();
        for _ in 0..times {
            let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
            encoder.write_all(&content).expect("deflated");
            content = encoder.finish().expect("deflated");
        }
        let mut document = Document::with_version("1.5");
        let tree = document.new_object_id();
        let filters: Vec<Object> = vec!["FlateDecode".into(); times];
        let content = document.add_object(Stream::new(dictionary! {"Filter" => filters}, content));
        let kids: Vec<Object> = (0..pages)
            .map(|_| {
                let page = dictionary! {"Type" => "Page", "Parent" => tree, "Contents" => content};
                document.add_object(page).into()
            })
            .collect();
        let count = i64::try_from(pages).expect("a count");
        document
            .objects
            .insert(tree, Object::Dictionary(dictionary! {"Type" => "Pages", "Kids" => kids, "Count" => count}));
        let catalog = document.add_object(dictionary! {"Type" => "Catalog", "Pages" => tree});
        document.trailer.set("Root", catalog);
        let mut bytes = Vec::new();
        document.save_to(&mut bytes).expect("a PDF");
        bytes
    }

    #[test]
    fn a_pdf_that_inflates_to_much_is_refused_before_it_has() {
        let zeros = vec![b' '; 50 << 20];
        for (what, bytes) in [
            ("deflated once", pdf(1, &zeros, 1)),
            ("deflated three times", pdf(1, &zeros, 3)),
            ("one content on many pages", pdf(500, &zeros[..1 << 20], 1)),
            ("pages without end", pdf(6_000, b" ", 0)),
        ] {
            assert!(bytes.len() < 1 << 20, "{what}: {} bytes", bytes.len());
            let began = std::time::Instant::now();
            let why = text("bomb.pdf", &bytes).expect_err(what);
            assert!(why.contains("PDF"), "{what}: {why}");
            assert!(began.elapsed().as_secs() < 30, "{what}: {:?}", began.elapsed());
        }
        // What nests without end is no hang and no overflow.
        let deep = format!("%PDF-1.5\n1 0 obj\n{}\nendobj\ntrailer <</Root 1 0 R>>\n%%EOF", "[".repeat(500_000));
        assert!(text("deep.pdf", deep.as_bytes()).is_err());
        let deep = format!("%PDF-1.5\n1 0 obj\n{}\nendobj\ntrailer <</Root 1 0 R>>\n%%EOF", "<</A ".repeat(200_000));
        assert!(text("deep.pdf", deep.as_bytes()).is_err());
    }
}
