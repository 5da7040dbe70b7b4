//! Commands within a command: the scripts that it is given, the programs that it starts.

use super::{
    call::Call,
    options::{Arguments, Valued},
    word::Word,
};

/// Shells that take a script as an argument or as their input.
pub(super) const SHELLS: [&str; 8] = ["sh", "bash", "zsh", "dash", "ksh", "ash", "fish", "mksh"];

/// Options of shells that take a value.
pub(super) const SHELL_OPTIONS: Valued = Valued { short: "oO", long: &["--rcfile", "--init-file"] };

const SSH: Valued = Valued { short: "bcDEeFIiJLlmOopQRSWw", long: &[] };

const WATCH: Valued = Valued { short: "nq", long: &["--interval"] };

/// The scripts that a call runs.
pub(super) fn scripts(call: &Call<'_>) -> Vec<String> {
    match call.name {
        shell if SHELLS.contains(&shell) => of_shell(call),
        "eval" => vec![joined(call.args)],
        "watch" => vec![joined_refs(&Arguments::leading(call.args, WATCH).operands)],
        "ssh" => Arguments::leading(call.args, SSH).operands.get(1..).map(joined_refs).into_iter().collect(),
        "su" | "runuser" | "script" => after(call, &["-c", "--command"]),
        "pwsh" | "powershell" => after(call, &["-Command", "-command", "-c", "-C"]),
        "trap" => call.args.first().map(|word| word.text.clone()).into_iter().collect(),
        _ => Vec::new(),
    }
}

fn of_shell(call: &Call<'_>) -> Vec<String> {
    let arguments = Arguments::leading(call.args, SHELL_OPTIONS);
    let first = arguments.operands.first();
    if arguments.has('c') {
        return first.map(|word| word.text.clone()).into_iter().collect();
    }
    if first.is_none() || arguments.has('s') { call.input() } else { Vec::new() }
}

/// The words that a call runs as a program of their own: `find -exec`, `fd -x`.
pub(super) fn started<'a>(call: &Call<'a>) -> Vec<&'a [Word]> {
    let starters: &[&str] = match call.name {
        "find" | "gfind" => &["-exec", "-execdir", "-ok", "-okdir"],
        "fd" | "fdfind" => &["-x", "-X", "--exec", "--exec-batch"],
        _ => return Vec::new(),
    };
    let is_starter = |word: &Word| starters.contains(&word.text.as_str());
    let mut parts = call.args.split(is_starter).skip(1).collect::<Vec<_>>();
    for part in &mut parts {
        let end = part.iter().position(|word| matches!(word.text.as_str(), ";" | "+"));
        *part = &part[..end.unwrap_or(part.len())];
    }
    parts
}

/// Everything behind one of these options.
fn after(call: &Call<'_>, options: &[&str]) -> Vec<String> {
    let option = call.args.iter().position(|word| options.contains(&word.text.as_str()));
    let rest = option.and_then(|at| call.args.get(at + 1..)).unwrap_or_default();
    match call.name {
        "pwsh" | "powershell" => vec![joined(rest)],
        _ => rest.first().map(|word| word.text.clone()).into_iter().collect(),
    }
}

fn joined(words: &[Word]) -> String {
    joined_refs(&words.iter().collect::<Vec<_>>())
}

fn joined_refs(words: &[&Word]) -> String {
    words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ")
}
