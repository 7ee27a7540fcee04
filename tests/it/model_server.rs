//! A model behind an address answers in place of the stand-in: asked in the form of OpenAI's API, by whatever the stacks hold.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;

use serde_json::{Value, json};

use crate::support::{Project, Run};

/// A server that speaks as much of the API as is asked of it, and tells what it was asked.
struct Server {
    url: String,
    asked: mpsc::Receiver<(String, Value)>,
}

impl Server {
    fn start(answer: fn(&str, &Value) -> (u16, Value)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (tell, asked) = mpsc::channel();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // Whoever asks ends the connection; nothing to tell of that.
                let _ = one(&stream, answer, &tell);
            }
        });
        Self { url, asked }
    }

    /// What was asked since this was called last.
    fn asked(&self) -> Vec<(String, Value)> {
        self.asked.try_iter().collect()
    }
}

fn one(
    mut stream: &TcpStream,
    answer: fn(&str, &Value) -> (u16, Value),
    tell: &mpsc::Sender<(String, Value)>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let path = line.split_whitespace().nth(1).unwrap_or_default().to_owned();
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let Some((name, value)) = header.split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let (status, said) = answer(&path, &body);
    tell.send((path, body)).map_err(std::io::Error::other)?;
    let said = said.to_string();
    let head = format!("HTTP/1.1 {status} Said\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", said.len());
    stream.write_all(format!("{head}{said}").as_bytes())
}

fn said(text: &str) -> (u16, Value) {
    (200, json!({ "choices": [{ "message": { "content": text }, "finish_reason": "stop" }] }))
}

fn deploy(project: &Project, server: &Server, name: &str) -> Run {
    project.run_with(&["deploy", name, "--yes"], &[("BEDPLATE_MODEL_SERVER", &server.url)])
}

#[test]
fn a_function_is_answered_by_the_model_of_the_server() {
    let server = Server::start(|_, _| said("TB-CL-7882 stopped; part MR 7882-9571 is cracked."));
    let project = Project::with("manufacturing-summary");
    let _ = deploy(&project, &server, "manufacturing-summary").ok();
    let asked = server.asked();
    assert!(!asked.is_empty() && asked.iter().all(|(path, _)| path == "/v1/chat/completions"), "{asked:?}");
    let (_, body) = &asked[0];
    assert_eq!(body["model"], "amazon.nova-lite-v1:0");
    assert_eq!(body["messages"][0]["role"], "system");
    assert!(body["messages"][1]["content"].as_str().is_some_and(|text| text.contains("rotor hub")), "{body}");
}

#[test]
fn a_server_that_fails_fails_the_smoke_test_and_says_so_in_the_log() {
    let server = Server::start(|_, _| (500, json!({ "error": "out of memory" })));
    let project = Project::with("manufacturing-summary");
    let run = deploy(&project, &server, "manufacturing-summary");
    assert_eq!(run.code, 13, "{}", run.session());
    let logs = project.run(&["logs", "manufacturing-summary"]).ok();
    assert!(logs.stdout.contains("answers 500") && logs.stdout.contains("out of memory"), "{}", logs.session());
}

#[test]
fn documents_are_embedded_by_the_server_in_the_dimension_that_is_asked_for() {
    let server = Server::start(|path, body| match path {
        "/v1/embeddings" => {
            let texts = body["input"].as_array().map_or(0, Vec::len);
            let vector: Vec<f32> = (0_u8..3).map(f32::from).collect();
            (200, json!({ "data": vec![json!({ "embedding": vector }); texts] }))
        }
        _ => said("An answer."),
    });
    let project = Project::with("elearning");
    let run = deploy(&project, &server, "elearning");
    assert_eq!(run.code, 1, "{}", run.session());
    assert!(run.stderr.contains("gives vectors of dimension 3, not 1024"), "{}", run.session());
    assert!(server.asked().iter().any(|(path, body)| path == "/v1/embeddings" && body["dimensions"] == 1024));
}
