//! The calls of tools in a script.

use std::{borrow::Cow, collections::HashMap};

use super::lexer::{Lexer, Token};

/// The longest script that is looked at, in bytes. A longer one is looked at up to here.
const MAX_SCRIPT: usize = 256 << 10;
/// The most calls that are looked for in a script, and the most names for texts.
const MAX_CALLS: usize = 128;
const MAX_CONSTANTS: usize = 64;
/// How many bytes of a text are enough, be it a command or a constant that may become one's part.
const MAX_COMMAND: usize = 16 << 10;

/// The object whose members are the tools.
const TOOLS: &str = "tools";
/// The arguments that hold a command.
const COMMAND: [&str; 2] = ["cmd", "command"];
/// What stands in a command for a value that only the running script knows. To a shell it is a value as well.
const UNKNOWN: &str = "$_";

/// A place in a script that calls a tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::distil) struct ScriptCall<'a> {
    /// The tool, as the script spells it.
    pub(in crate::distil) tool: Cow<'a, str>,
    /// The command among its arguments, or the text that is its only argument. A part that is not written out in the
    /// script is a `$_`.
    pub(in crate::distil) command: Option<String>,
}

/// The calls of tools in `script`, in the order of their places.
pub(in crate::distil) fn calls_in(script: &str) -> Vec<ScriptCall<'_>> {
    let code = Code::new(&script[..script.floor_char_boundary(MAX_SCRIPT)]);
    let places = (0..code.tokens.len()).filter_map(|at| code.call_at(at));
    let calls = places.map(|(tool, argument)| ScriptCall { tool, command: code.command(argument) });
    calls.take(MAX_CALLS).collect()
}

struct Code<'a> {
    tokens: Vec<Token<'a>>,
    /// The texts that have names in the script.
    constants: HashMap<&'a str, String>,
}

impl<'a> Code<'a> {
    fn new(script: &'a str) -> Self {
        let mut code = Self { tokens: Lexer::new(script).collect(), constants: HashMap::new() };
        let mut room = MAX_CONSTANTS;
        for at in 0..code.tokens.len() {
            if let Some((name, text)) = (room > 0).then(|| code.constant_at(at)).flatten() {
                code.constants.insert(name, text);
                room -= 1;
            }
        }
        code
    }

    fn is_punct(&self, at: usize, punct: u8) -> bool {
        self.tokens.get(at) == Some(&Token::Punct(punct))
    }

    /// The name and text of `const name = "…"`.
    fn constant_at(&self, at: usize) -> Option<(&'a str, String)> {
        let [Token::Word("const" | "let" | "var"), Token::Word(name), Token::Punct(b'='), Token::Text(_), ..] =
            self.tokens.get(at..)?
        else {
            return None;
        };
        Some((name, self.value(at + 3)))
    }

    /// The tool that is called at this place, and where its argument begins: `tools.x(` or `tools["x"](`, where
    /// `tools` is no member of something else.
    fn call_at(&self, at: usize) -> Option<(Cow<'a, str>, usize)> {
        if self.tokens[at] != Token::Word(TOOLS) || (at > 0 && self.is_punct(at - 1, b'.')) {
            return None;
        }
        let at = at + 1 + usize::from(self.is_punct(at + 1, b'?'));
        match self.tokens.get(at..)? {
            [Token::Punct(b'.'), Token::Word(tool), Token::Punct(b'('), ..] => {
                Some((Cow::Borrowed(tool), at + 3))
            }
            [Token::Punct(b'['), Token::Text(tool), Token::Punct(b']'), Token::Punct(b'('), ..] => {
                Some((tool.clone(), at + 4))
            }
            _ => None,
        }
    }

    /// The command in the argument that begins here.
    fn command(&self, at: usize) -> Option<String> {
        if !self.is_punct(at, b'{') {
            let value = Some(self.value(at));
            return value.filter(|value| !value.is_empty());
        }
        let mut depth = 0_u32;
        for (at, token) in self.tokens.iter().enumerate().skip(at) {
            match token {
                Token::Punct(b'{' | b'[' | b'(') | Token::HoleOpens => depth += 1,
                Token::Punct(b'}' | b']' | b')') | Token::HoleCloses => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return None;
            }
            if depth == 1
                && matches!(token, Token::Punct(b'{' | b','))
                && let Some(value) = self.command_field(at + 1)
            {
                return Some(value);
            }
        }
        None
    }

    /// The value of the field that begins here, if it is a command: `cmd: "…"`, `"cmd": "…"`, or `cmd` alone.
    fn command_field(&self, at: usize) -> Option<String> {
        let name: &str = match self.tokens.get(at)? {
            Token::Word(name) => name,
            Token::Text(name) => name,
            _ => return None,
        };
        let value = at + if self.is_punct(at + 1, b':') { 2 } else { 0 };
        COMMAND.contains(&name).then(|| self.value(value))
    }

    /// The text that the expression means which begins here: literals, constants, templates, sums of these, and as
    /// one line the elements of a list.
    fn value(&self, at: usize) -> String {
        let in_list = self.is_punct(at, b'[');
        let (mut text, mut at) = (String::new(), at + usize::from(in_list));
        while text.len() < MAX_COMMAND {
            match self.operand(at, &mut text) {
                Some(behind) if self.is_punct(behind, b'+') => at = behind + 1,
                Some(behind) if in_list && self.is_punct(behind, b',') => {
                    text.push(' ');
                    at = behind + 1;
                }
                Some(_) | None => break,
            }
        }
        text.truncate(text.floor_char_boundary(MAX_COMMAND));
        text
    }

    /// Adds the text of an operand. Gives the place behind it; none if this is no operand.
    fn operand(&self, at: usize, text: &mut String) -> Option<usize> {
        match self.tokens.get(at)? {
            Token::Text(literal) => text.push_str(literal),
            Token::Word(name) => text.push_str(self.constants.get(name).map_or(UNKNOWN, String::as_str)),
            Token::HoleOpens => return Some(self.hole(at, text)),
            Token::Punct(_) | Token::HoleCloses | Token::Other => return None,
        }
        Some(at + 1)
    }

    /// Adds the text of a template's expression, if it is a constant's name. Gives the place behind it.
    fn hole(&self, at: usize, text: &mut String) -> usize {
        let constant = match self.tokens.get(at + 1..at + 3) {
            Some([Token::Word(name), Token::HoleCloses]) => self.constants.get(name),
            _ => None,
        };
        text.push_str(constant.map_or(UNKNOWN, String::as_str));
        let mut depth = 0_u32;
        let is_end = |token: &Token<'_>| {
            match token {
                Token::HoleOpens => depth += 1,
                Token::HoleCloses => depth -= 1,
                _ => {}
            }
            depth == 0
        };
        self.tokens[at..].iter().position(is_end).map_or(self.tokens.len(), |len| at + len + 1)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The tools that a script calls, behind `=` the commands.
    fn called(script: &str) -> Vec<String> {
        let shown = |call: ScriptCall<'_>| match call.command {
            Some(command) => format!("{}={command}", call.tool),
            None => call.tool.into_owned(),
        };
        calls_in(script).into_iter().map(shown).collect()
    }

    #[test]
    fn calls_are_found_once_for_each_place_as_they_are_spelt() {
        let script = r#"
            const r = await tools.mcp__demo__echo({"text": "tools.no()"}); // tools.no()
            for (const f of files) { text(`${await tools["web.search"]({q: f})} tools.no()`); }
            await Promise.all([tools.view_image({path: "a"}), tools . view_image ( {path: "b"} ), tools?.wait({})]);
            if (/tools.no(/.test(r)) ALL_TOOLS.no(); other.tools.no(); tools.no; tools[name](); mytools.no();
        "#;
        let expected = ["mcp__demo__echo", "web.search", "view_image", "view_image", "wait"];
        assert_eq!(called(script), expected);
    }

    #[test]
    fn constants_do_not_make_a_command_longer_than_is_looked_at() {
        let long = "x".repeat(100_000);
        let script =
            format!("const a = '{long}'; const b = 'ls ' + a; tools.exec_command({{cmd: b + a + b}})");
        let command = calls_in(&script).remove(0).command.unwrap();
        assert!(command.starts_with("ls xxx"));
        assert_eq!(command.len(), MAX_COMMAND);
    }

    #[test]
    fn a_command_is_what_the_script_writes_out() {
        for (argument, command) in [
            (r#"{cmd: "ls -l"}"#, "ls -l"),
            (r#"{workdir: f({cmd: "no"}), "command": 'a' + "b", yield_time_ms: 1}"#, "ab"),
            (r#"{command: ["bash", "-lc", `cat x`]}"#, "bash -lc cat x"),
            ("{cmd: `rm -rf ${dirs.map(d => `${d}`).join(' ')} && ls`}", "rm -rf $_ && ls"),
            (r#"{cmd: "cd " + dir}"#, "cd $_"),
            (r#""ls""#, "ls"),
        ] {
            assert_eq!(
                called(&format!("tools.exec_command({argument})")),
                [format!("exec_command={command}")]
            );
        }
        assert_eq!(called(r#"tools.exec_command({workdir: "cmd"})"#), ["exec_command"]);
    }

    #[test]
    fn a_text_with_a_name_is_known_by_it() {
        let script = "const dir = '/tmp/x'; let cmd = `rm -rf ${dir}`
            tools.exec_command({cmd}); tools.exec_command({cmd: cmd + ' /y'});
            const patch = `*** Begin Patch`; tools.apply_patch(patch)";
        let expected =
            ["exec_command=rm -rf /tmp/x", "exec_command=rm -rf /tmp/x /y", "apply_patch=*** Begin Patch"];
        assert_eq!(called(script), expected);
    }

    #[test]
    fn no_script_costs_more_than_its_length_is_worth() {
        let doubled = |i: usize| format!("const a{} = '' + a{i} + a{i};", i + 1);
        let doubled: Vec<_> = (0..50).map(doubled).collect();
        let script = format!("const a0 = 'xxxxxxxx';{}tools.exec_command({{cmd: a50}})", doubled.join("\n"));
        assert!(called(&script)[0].len() <= 3 * MAX_COMMAND);
        let nested = "const a = `${tools.x({a:".repeat(MAX_SCRIPT / 20);
        assert_eq!(calls_in(&nested).len(), MAX_CALLS);
        let long = format!("{}tools.x()", " ".repeat(MAX_SCRIPT));
        assert_eq!(calls_in(&long), []);
    }

    proptest! {
        #[test]
        fn any_script_is_read(script in r#"(tools|\.x|\["x"\]|\(|\{|cmd|:|`|\$\{|\}|\)|const a=|'b'|\+|,|/|\[|\]| |ü){0,30}"#) {
            calls_in(&script);
        }
    }
}
