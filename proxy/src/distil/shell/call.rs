//! A simple command as a program's call: its name, its arguments, what flows into it.

use super::{
    options::{Arguments, Valued},
    script::Command,
    word::Word,
};

/// How many commands may start each other: `sudo env nice …`.
const MAX_PREFIXES: usize = 16;

/// The call of a program.
#[derive(Debug)]
pub(super) struct Call<'a> {
    /// The program's name, without its directory.
    pub(super) name: &'a str,
    /// Its arguments.
    pub(super) args: &'a [Word],
    /// Whether `xargs` adds more arguments, out of what flows in.
    pub(super) by_xargs: bool,
    /// Where it stands.
    pub(super) context: Context<'a>,
}

/// What a call has to do with the rest of its script.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Context<'a> {
    /// The command itself, with its redirections.
    pub(super) command: Option<&'a Command>,
    /// The commands before it in its pipeline.
    pub(super) upstream: &'a [Command],
    /// The functions that its script defines.
    pub(super) functions: &'a [String],
}

/// A program that starts the program named behind its own options.
struct Prefix {
    name: &'static str,
    valued: Valued,
    /// How many operands of its own it takes first.
    operands: usize,
}

const fn prefix(
    name: &'static str,
    short: &'static str,
    long: &'static [&'static str],
    operands: usize,
) -> Prefix {
    Prefix { name, valued: Valued { short, long }, operands }
}

const PREFIXES: [Prefix; 21] = [
    prefix("sudo", "ughpCDRTUrt", &["--user", "--group", "--host", "--prompt", "--chdir"], 0),
    prefix("doas", "uC", &[], 0),
    prefix("env", "uCS", &["--unset", "--chdir"], 0),
    prefix("command", "", &[], 0),
    prefix("builtin", "", &[], 0),
    prefix("exec", "a", &[], 0),
    prefix("time", "fo", &["--format", "--output"], 0),
    prefix("nice", "n", &["--adjustment"], 0),
    prefix("ionice", "cnp", &["--class", "--classdata"], 0),
    prefix("nohup", "", &[], 0),
    prefix("setsid", "", &[], 0),
    prefix("stdbuf", "ioe", &["--input", "--output", "--error"], 0),
    prefix("timeout", "ks", &["--kill-after", "--signal"], 1),
    prefix("gtimeout", "ks", &["--kill-after", "--signal"], 1),
    prefix(
        "xargs",
        "IEnPLdsa",
        &["--max-args", "--max-procs", "--max-lines", "--delimiter", "--arg-file"],
        0,
    ),
    prefix("chroot", "", &[], 1),
    prefix("flock", "wE", &["--timeout", "--wait", "--conflict-exit-code"], 1),
    prefix("busybox", "", &[], 0),
    prefix("strace", "eopsuP", &[], 0),
    prefix("caffeinate", "tw", &[], 0),
    prefix("unbuffer", "", &[], 0),
];

/// What follows a container's name is a command in it.
const CONTAINER_TOOLS: [&str; 5] = ["docker", "podman", "nerdctl", "docker-compose", "kubectl"];

const IN_CONTAINER: Valued = Valued {
    short: "euwcnvpf",
    long: &["--env", "--env-file", "--user", "--workdir", "--container", "--namespace", "--volume", "--name"],
};

impl<'a> Call<'a> {
    /// The program that is started in the end, if the words name one.
    pub(super) fn of(words: &'a [Word], context: Context<'a>) -> Option<Self> {
        let mut words = words;
        let mut by_xargs = false;
        for _ in 0..MAX_PREFIXES {
            let start = words.iter().position(|word| !word.is_assignment())?;
            let (first, args) = words[start..].split_first()?;
            let name = program(&first.text);
            let call = Self { name, args, by_xargs, context };
            match call.started() {
                Some(started) => words = started,
                None => return Some(call),
            }
            by_xargs |= name == "xargs";
        }
        None
    }

    /// The words of the command that it starts in its own place.
    fn started(&self) -> Option<&'a [Word]> {
        if let Some(prefix) = PREFIXES.iter().find(|prefix| prefix.name == self.name) {
            // `command -v rm` only asks.
            let asks = self.name == "command" && Arguments::leading(self.args, Valued::default()).has('v');
            let own = Arguments::leading(self.args, prefix.valued).before_operands + prefix.operands;
            return self.args.get(own..).filter(|started| !started.is_empty() && !asks);
        }
        if CONTAINER_TOOLS.contains(&self.name) { self.in_container() } else { None }
    }

    fn in_container(&self) -> Option<&'a [Word]> {
        let verb = self.args.iter().take(4).position(|word| matches!(word.text.as_str(), "exec" | "run"))?;
        let rest = &self.args[verb + 1..];
        let container = Arguments::leading(rest, IN_CONTAINER).before_operands;
        let divider = rest.iter().position(|word| word.text == "--").filter(|_| self.name == "kubectl");
        rest.get(divider.unwrap_or(container) + 1..).filter(|command| !command.is_empty())
    }

    /// Whether one of its arguments is this.
    pub(super) fn has_arg(&self, text: &str) -> bool {
        self.args.iter().any(|word| word.text == text)
    }

    /// The texts that flow into it, as far as they stand in the script.
    pub(super) fn input(&self) -> Vec<String> {
        let own = self.context.command.into_iter().flat_map(|command| &command.inputs);
        let piped = self.context.upstream.iter().filter_map(written_by);
        own.map(|input| input.text.clone()).chain(piped).collect()
    }
}

/// What `echo`, `printf` and `cat` with a here-document write.
fn written_by(command: &Command) -> Option<String> {
    let (name, args) = command.words.split_first()?;
    match name.text.as_str() {
        "echo" | "printf" => Some(args.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ")),
        "cat" | "tee" => command.inputs.last().map(|input| input.text.clone()),
        _ => None,
    }
}

/// A program's name: without its directory, without the suffix that Windows gives it.
fn program(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.strip_suffix(".exe").unwrap_or(name)
}
