//! `chat`: an agent or a WebSocket API of the spec, and what is said.

use super::targets::{check_text_length, component};
use super::{call, expect};
use crate::finding::code;
use crate::spec::rules::context::Rules;
use crate::spec::types::{ApiKind, SmokeTest, SmokeTurn};
use crate::spec::words::cut;

/// The most bytes of a message, which is sent as one frame. Source: API Gateway quotas, WebSocket frame size.
const LARGEST_FRAME: usize = 32 << 10;

pub(super) fn chat(rules: &mut Rules<'_>, base: &str, target: &str, test: &SmokeTest) {
    let at = format!("{base}/chat");
    if let Some(name) = target.strip_prefix("apis.") {
        if component(rules, &at, "apis", target) {
            over_socket(rules, base, name, test);
        }
    } else if component(rules, &at, "agents", target) {
        let name = target.strip_prefix("agents.").unwrap_or_default();
        let agent = rules.spec.agents.get(name);
        turns(rules, base, &test.turns, |rules, base, turn| {
            expect::of_agent(rules, &format!("{base}/expect"), &turn.expect, agent);
        });
    }
}

fn over_socket(rules: &mut Rules<'_>, base: &str, name: &str, test: &SmokeTest) {
    let spec = rules.spec;
    // One that did not decode has its own finding.
    if let Some(api) = spec.apis.get(name)
        && api.kind != ApiKind::Websocket
    {
        let message = format!("`apis.{}` is not a WebSocket API, and only those have conversations", cut(name));
        let help = format!("ask it with `call: GET apis.{name} /path`");
        return rules.error(code::S036, &format!("{base}/chat"), message, help);
    }
    call::sent(rules, base, test);
    let Some(status) = test.expect.status else {
        return turns(rules, base, &test.turns, |rules, base, turn| {
            expect::of_socket(rules, &format!("{base}/expect"), &turn.expect);
            if turn.say.len() > LARGEST_FRAME {
                let message = format!("that is {} bytes", turn.say.len());
                let help = format!("write at most {LARGEST_FRAME}, which is what API Gateway takes in one frame");
                rules.error(code::S036, &format!("{base}/say"), message, help);
            }
        });
    };
    if status < 400 {
        let message = format!("a connection is not refused with {status}");
        let help = "write the status it is refused with, such as 401; without one it must be opened";
        rules.error(code::S036, &format!("{base}/expect/status"), message, help);
    } else if !test.turns.is_empty() {
        let message = "over a connection that is refused nothing is said".to_owned();
        let help = "remove `turns`, or make a second test of them that expects no `status`";
        rules.error_at_key(code::S036, &format!("{base}/turns"), message, help);
    }
}

fn turns(rules: &mut Rules<'_>, base: &str, turns: &[SmokeTurn], more: impl Fn(&mut Rules<'_>, &str, &SmokeTurn)) {
    if turns.is_empty() {
        let message = "a `chat` without `turns` says nothing".to_owned();
        let help = "add `turns: [{ say: Hi, expect: { text: { contains: … } } }]`";
        return rules.error(code::S036, base, message, help);
    }
    for (index, turn) in turns.iter().enumerate() {
        let base = format!("{base}/turns/{index}");
        check_text_length(rules, &format!("{base}/say"), &turn.say, 25_000);
        expect::turn(rules, &format!("{base}/expect"), &turn.expect);
        more(rules, &base, turn);
    }
}
