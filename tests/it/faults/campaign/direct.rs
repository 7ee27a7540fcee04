//! Asks an endpoint itself, past the proxy and without any of the program's code: plain HTTP and the services' own formats.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::Value;

/// An endpoint that is asked directly.
#[derive(Debug, Clone)]
pub struct Direct {
    address: String,
}

impl Direct {
    /// The endpoint at an address such as `http://127.0.0.1:4566`.
    pub fn to(url: &str) -> Self {
        Self { address: url.trim_start_matches("http://").trim_end_matches('/').to_owned() }
    }

    /// An operation of CloudFormation; the answer, or what it says of an error.
    pub fn cloudformation(&self, action: &str, parameters: &[(&str, &str)]) -> Result<Element, String> {
        let form = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("Action", action), ("Version", "2010-05-15")])
            .extend_pairs(parameters)
            .finish();
        let kind = [("content-type", "application/x-www-form-urlencoded")];
        let (status, answer) = self.ask("cloudformation", "POST", "/", &kind, form.as_bytes());
        if status == 200 { Ok(Element::read(&answer)) } else { Err(answer) }
    }

    /// An operation of a service that speaks JSON to one path.
    pub fn json(&self, service: &str, target: &str, body: &Value) -> Value {
        let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target)];
        let (status, answer) = self.ask(service, "POST", "/", &headers, body.to_string().as_bytes());
        assert_eq!(status, 200, "{target}: {answer}");
        serde_json::from_str(&answer).expect("JSON")
    }

    /// Any other request: the status and the body.
    pub fn rest(&self, service: &str, method: &str, path: &str, body: &str) -> (u16, String) {
        self.ask(service, method, path, &[], body.as_bytes())
    }

    fn ask(&self, service: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> (u16, String) {
        // HTTP/1.0: the answer's body comes in one piece and ends with the connection.
        let mut request = format!(
            "{method} {path} HTTP/1.0\r\nhost: {}\r\nauthorization: AWS4-HMAC-SHA256 \
             Credential=local/20260101/us-west-2/{service}/aws4_request, SignedHeaders=host, Signature=0\r\n\
             content-length: {}\r\n",
            self.address,
            body.len()
        );
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str("\r\n");
        let mut stream = TcpStream::connect(&self.address).expect("the endpoint listens");
        stream.write_all(request.as_bytes()).expect("a request");
        stream.write_all(body).expect("a body");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        (status, body.to_owned())
    }
}

/// An element of an answer in XML.
#[derive(Debug, Clone, Default)]
pub struct Element {
    name: String,
    text: String,
    children: Vec<Element>,
}

impl Element {
    /// Reads a document, whose elements have no attributes of interest.
    pub fn read(text: &str) -> Self {
        let mut open = vec![Element::default()];
        let mut rest = text;
        while let Some(start) = rest.find('<') {
            let (before, tag) = rest.split_at(start);
            let end = tag.find('>').unwrap_or(tag.len() - 1);
            let (tag, after) = (&tag[1..end], &tag[end + 1..]);
            rest = after;
            if let Some(element) = open.last_mut() {
                element.text.push_str(&unescaped(before));
            }
            let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or_default();
            if tag.starts_with(['?', '!']) {
                continue;
            }
            if !tag.starts_with('/') {
                open.push(Element { name: name.to_owned(), ..Element::default() });
            }
            if (tag.starts_with('/') || tag.ends_with('/')) && open.len() > 1 {
                let closed = open.pop().unwrap_or_default();
                if let Some(parent) = open.last_mut() {
                    parent.children.push(closed);
                }
            }
        }
        open.swap_remove(0)
    }

    /// Every element of a name at any depth, but for those inside such an element.
    pub fn all(&self, name: &str) -> Vec<&Element> {
        let mut found = Vec::new();
        for child in &self.children {
            if child.name == name { found.push(child) } else { found.extend(child.all(name)) }
        }
        found
    }

    /// The text of the first child of a name, empty when there is none.
    pub fn get(&self, name: &str) -> &str {
        self.children.iter().find(|child| child.name == name).map_or("", |child| &child.text)
    }

    /// All it holds, written the same way each time.
    pub fn written(&self) -> String {
        let children: String = self.children.iter().map(Element::written).collect();
        format!("<{}>{}{children}", self.name, self.text)
    }
}

fn unescaped(text: &str) -> String {
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'");
    text.replace("&#39;", "'")
        .replace("&#34;", "\"")
        .replace("&#10;", "\n")
        .replace("&#xA;", "\n")
        .replace("&amp;", "&")
}
