//! What can only be known of a request by what was before it.

use std::collections::{HashMap, HashSet};

use super::{facts::FailedTool, results, skills};
use crate::{
    upstream::{Api, Call, Milestone, Served, Started},
    wire::Request,
};

/// What the upstream remembers.
#[derive(Debug, Default)]
pub(super) struct History {
    /// The calls whose results are still awaited, by session and id.
    awaited: HashMap<(Session, String), Call>,
    /// The sub-agents that were started.
    started: Vec<Started>,
    /// The skills that the user has activated.
    skills: HashSet<(Session, String)>,
    /// The requests that have been made, and whether the last attempt failed.
    attempts: HashMap<(Session, String), bool>,
}

type Session = Option<String>;

impl History {
    /// The tools whose failure this request reports for the first time.
    pub(super) fn failed(&mut self, api: Api, session: &Session, request: &Request) -> Vec<FailedTool> {
        let mut failed = Vec::new();
        for result in results::of(api, &request.json()) {
            let Some(call) = self.awaited.remove(&(session.clone(), result.call)) else { continue };
            if result.marked.unwrap_or(call.means.fails) {
                let server = call.means.mcp.first().map(|(server, _)| server.clone());
                failed.push(FailedTool { tool: call.full_name(), server });
            }
        }
        failed
    }

    /// The skills that the user activates with this request.
    pub(super) fn skills(&mut self, api: Api, session: &Session, request: &Request) -> Vec<String> {
        let activated = skills::of(api, &request.json());
        activated.into_iter().filter(|skill| self.skills.insert((session.clone(), skill.clone()))).collect()
    }

    /// Whether this request was made before, in vain.
    pub(super) fn is_retry(&self, session: &Session, request: &Request) -> bool {
        self.attempts.get(&(session.clone(), identity(request))).is_some_and(|failed| *failed)
    }

    /// The type of the sub-agent that makes this request: what it was told is in what it says.
    pub(super) fn sub_agent(&self, request: &Request) -> Option<String> {
        let body = String::from_utf8_lossy(&request.body);
        let newest = self.started.iter().rev().find(|started| body.contains(&started.prompt));
        newest.map(|started| started.kind.clone())
    }

    /// Takes in how a request was answered.
    pub(super) fn take_in(&mut self, session: &Session, served: &Served, failed: bool) {
        for told in &served.told {
            let Milestone::Tool(call) = told else { continue };
            self.started.extend(call.means.starts.clone());
            self.awaited.insert((session.clone(), call.id.clone()), call.clone());
        }
        if !served.request.body.is_empty() {
            self.attempts.insert((session.clone(), identity(&served.request)), failed);
        }
    }
}

/// What stays the same when a request is made again: all that it says, which Codex does in another order each time, or on
/// a WebSocket the last thing.
fn identity(request: &Request) -> String {
    let body = request.json();
    if body.is_null() {
        return String::from_utf8_lossy(&request.body).into_owned();
    }
    let last = body["input"].as_array().and_then(|input| input.last());
    let said = last.filter(|_| body["type"] == "response.create").unwrap_or(&body);
    said.to_string()
}
