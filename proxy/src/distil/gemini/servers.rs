//! Which MCP servers the declared tools belong to.
//!
//! Gemini CLI names an MCP tool `mcp_<server>_<tool>`, and nothing else in a request tells where the server's name
//! ends if there are more underscores. The CLI itself takes the first one, and advises against underscores in servers'
//! names. So does this, but where several tools have more in common: `mcp_my_db_read`, `mcp_my_db_write` and
//! `mcp_my_db_list` are of a server `my_db`. Two tools may well be alike by chance (`mcp_fs_read_file`,
//! `mcp_fs_read_dir`), three count. Older versions named a tool `<server>__<tool>`.

use std::collections::{BTreeMap, HashMap};

use ccxray_shared::Name;

use crate::distil::answer::AnswerFacts;

const PREFIX: &str = "mcp_";
const OLDER_BORDER: &str = "__";

/// The most tools of MCP servers that a request's list is read for.
const MAX_TOOLS: usize = 1024;

/// How many tools must have more in common than the first word of a name.
const SEVERAL: usize = 3;

/// The servers of a request's tools, by the tools' names as sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Servers(HashMap<Name<'static>, Server>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Server {
    name: Name<'static>,
    tool: Name<'static>,
}

impl Servers {
    /// The servers of the MCP tools among the declared ones.
    pub(super) fn of<'n>(declared: impl IntoIterator<Item = &'n str>) -> Self {
        let mut servers = Self::default();
        let mut groups: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for name in declared.into_iter().take(MAX_TOOLS) {
            if let Some((server, tool)) = older(name) {
                servers.add(name, server, tool);
            } else if let Some(path) = name.strip_prefix(PREFIX).filter(|path| path.contains('_')) {
                groups.entry(path.split('_').next().unwrap_or_default()).or_default().push(path);
            }
        }
        for paths in groups.values() {
            let border = border(paths);
            for path in paths.iter().filter(|path| border > 0 && path.len() > border + 1) {
                servers.add(&format!("{PREFIX}{path}"), &path[..border], &path[border + 1..]);
            }
        }
        servers
    }

    /// The name of a failed tool, as an entry lists it.
    pub(super) fn reported_name(&self, tool: &str) -> Name<'static> {
        let tool = Name::from_wire(tool).into_owned();
        match self.0.get(&tool) {
            Some(server) => Name::from_string(format!("mcp__{}__{}", server.name, server.tool)),
            None => tool,
        }
    }

    /// Adds to the calls of an answer the servers that they go to.
    pub fn add_to(&self, answer: &mut AnswerFacts) {
        let calls = answer.tools.iter_mut().flat_map(|tools| &mut tools.calls);
        for call in calls.filter(|call| call.server.is_none()) {
            call.server = self.0.get(&call.name).map(|server| server.name.clone());
        }
    }

    fn add(&mut self, declared: &str, server: &str, tool: &str) {
        let [declared, name, tool] = [declared, server, tool].map(|name| Name::from_wire(name).into_owned());
        self.0.insert(declared, Server { name, tool });
    }
}

/// Server and tool of a name in the older form.
fn older(name: &str) -> Option<(&str, &str)> {
    let (server, tool) = name.strip_prefix("mcp__").unwrap_or(name).split_once(OLDER_BORDER)?;
    (!server.is_empty() && !tool.is_empty() && !server.starts_with(PREFIX)).then_some((server, tool))
}

/// Where the server's name ends in `paths`, which have the same first word.
fn border(paths: &[&str]) -> usize {
    let (first, others) = paths.split_first().unwrap_or((&"", &[]));
    let word = first.find('_').unwrap_or(0);
    if paths.len() < SEVERAL {
        return word;
    }
    let is_common = |border: &usize| others.iter().all(|path| path.get(..=*border) == first.get(..=*border));
    let borders = first.match_indices('_').map(|(border, _)| border);
    borders.take_while(is_common).last().unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use ccxray_shared::entry::{ToolCall, ToolCalls};
    use proptest::prelude::*;

    use super::*;

    fn reported(declared: &[&str]) -> Vec<String> {
        let servers = Servers::of(declared.iter().copied());
        declared.iter().map(|name| servers.reported_name(name).to_string()).collect()
    }

    #[test]
    fn a_servers_name_ends_at_the_first_underscore() {
        let names =
            ["glob", "mcp_demo_echo", "mcp_fs_read_file", "mcp_fs_read_dir", "mcp_my-db_x", "mcp_odd"];
        let expected = [
            "glob",
            "mcp__demo__echo",
            "mcp__fs__read_file",
            "mcp__fs__read_dir",
            "mcp__my-db__x",
            "mcp_odd",
        ];
        assert_eq!(reported(&names), expected);
        assert_eq!(reported(&["mcp__x", "mcp_", "mcp_a_"]), ["mcp__x", "mcp_", "mcp_a_"]);
    }

    #[test]
    fn what_several_tools_have_in_common_is_the_servers_name() {
        let names = ["mcp_my_db_read", "mcp_my_db_read_all", "mcp_my_db_list"];
        assert_eq!(reported(&names), ["mcp__my_db__read", "mcp__my_db__read_all", "mcp__my_db__list"]);
        let names = ["mcp_db_read_a", "mcp_db_read_b", "mcp_db_drop"];
        assert_eq!(reported(&names), ["mcp__db__read_a", "mcp__db__read_b", "mcp__db__drop"]);
    }

    #[test]
    fn an_older_name_has_its_border_in_it() {
        assert_eq!(reported(&["demo__echo", "mcp__demo__a__b"]), ["mcp__demo__echo", "mcp__demo__a__b"]);
        assert_eq!(reported(&["__init__", "a__"]), ["__init__", "a__"]);
    }

    #[test]
    fn only_declared_tools_of_a_server_get_one() {
        let call = |name| ToolCall::named(Name::from_wire(name));
        let calls = ["mcp_demo_echo", "mcp_other_echo", "glob"].map(call).to_vec();
        let tools = Some(ToolCalls { blocks: 3, calls, unreadable: 0 });
        let mut answer = AnswerFacts { tools, ..AnswerFacts::default() };
        Servers::of(["mcp_demo_echo", "glob"]).add_to(&mut answer);
        let servers =
            answer.tools.unwrap().calls.into_iter().map(|call| call.server.map(|name| name.to_string()));
        assert_eq!(servers.collect::<Vec<_>>(), [Some("demo".to_owned()), None, None]);
    }

    proptest! {
        #[test]
        fn any_names_are_read(names in proptest::collection::vec("(mcp_)?[aü_]{0,6}", 0..8)) {
            Servers::of(names.iter().map(String::as_str));
        }
    }
}
