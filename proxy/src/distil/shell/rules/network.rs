//! Programs that come from the network and are run at once.

use crate::distil::shell::{
    call::{Call, Context},
    inner::{SHELL_OPTIONS, SHELLS},
    options::{Arguments, Valued},
    script::{Command, Script},
    word::Word,
};

/// Programs that write out what they fetch.
const FETCHERS: [&str; 10] =
    ["curl", "wget", "fetch", "http", "https", "xh", "iwr", "irm", "Invoke-WebRequest", "Invoke-RestMethod"];

/// Interpreters: which options say that the program stands in the command line, and which take a value.
const INTERPRETERS: [(&str, &str, Valued); 10] = [
    ("python", "cm", Valued { short: "WX", long: &[] }),
    ("python2", "cm", Valued { short: "WX", long: &[] }),
    ("python3", "cm", Valued { short: "WX", long: &[] }),
    ("perl", "eEnp", Valued { short: "I", long: &[] }),
    ("ruby", "enp", Valued { short: "Ir", long: &[] }),
    ("node", "ep", Valued { short: "r", long: &["--require", "--import"] }),
    ("php", "rBRE", Valued { short: "dc", long: &[] }),
    ("osascript", "e", Valued { short: "l", long: &[] }),
    ("iex", "", Valued { short: "", long: &[] }),
    ("Invoke-Expression", "", Valued { short: "", long: &[] }),
];

/// `curl … | sh`, `bash <(curl …)`, `sh -c "$(curl …)"`, `eval "$(curl …)"`.
pub(super) fn runs_what_it_fetches(call: &Call<'_>) -> bool {
    match call.name {
        "eval" | "iex" | "Invoke-Expression" if call.args.iter().any(is_fetched) => true,
        "source" | "." => call.args.first().is_some_and(|file| is_fetched(file) || is_fed(call, file)),
        name if SHELLS.contains(&name) => shell_runs(call),
        name => INTERPRETERS.iter().find(|(known, ..)| *known == name).is_some_and(|(_, inline, valued)| {
            interpreter_runs(call, &Arguments::leading(call.args, *valued), inline)
        }),
    }
}

fn shell_runs(call: &Call<'_>) -> bool {
    let arguments = Arguments::leading(call.args, SHELL_OPTIONS);
    if arguments.has('s') && !arguments.has('c') {
        return comes_from_network(call);
    }
    interpreter_runs(call, &arguments, "c")
}

/// `inline` are the options behind which the program stands.
fn interpreter_runs(call: &Call<'_>, arguments: &Arguments<'_>, inline: &str) -> bool {
    let is_inline = inline.chars().any(|letter| arguments.has(letter))
        || ["--eval", "--print"].iter().any(|name| arguments.has_long(name));
    match arguments.operands.first() {
        Some(program) => is_fetched(program) || (!is_inline && is_fed(call, program)),
        None => !is_inline && !call.by_xargs && comes_from_network(call),
    }
}

/// Whether a file's name stands for what flows in, and that is from the network.
fn is_fed(call: &Call<'_>, file: &Word) -> bool {
    matches!(file.text.as_str(), "-" | "/dev/stdin" | "/dev/fd/0") && comes_from_network(call)
}

/// Whether a word is what a fetcher writes out, and nothing else.
fn is_fetched(word: &Word) -> bool {
    word.is_only_substitution()
        && word.scripts.iter().any(|script| Script::parse(script).commands.iter().any(is_fetcher))
}

fn comes_from_network(call: &Call<'_>) -> bool {
    let substituted = |command: &Command| command.reads.iter().chain(&command.inputs).any(is_fetched);
    call.context.upstream.iter().any(is_fetcher) || call.context.command.is_some_and(substituted)
}

fn is_fetcher(command: &Command) -> bool {
    Call::of(&command.words, Context::default()).is_some_and(|call| FETCHERS.contains(&call.name))
}
