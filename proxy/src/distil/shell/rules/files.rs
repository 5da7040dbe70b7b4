//! Deleting files, and giving them to everybody.

use crate::distil::shell::{
    call::{Call, Context},
    inner,
    options::{Arguments, Valued},
    script::Command,
};

/// `rm -r` and its likes: a directory with what is in it, or everything that a search has found.
pub(super) fn deletes_recursively(call: &Call<'_>) -> bool {
    match call.name {
        "rm" | "grm" if removes_recursively(call) || (call.by_xargs && is_fed_by_search(call)) => true,
        "find" | "gfind" => call.has_arg("-delete") || starts_rm(call),
        "fd" | "fdfind" => starts_rm(call),
        windows => removes_recursively_on_windows(windows, call),
    }
}

fn removes_recursively(call: &Call<'_>) -> bool {
    let mut options = call.args.iter().map(|word| word.text.as_str()).take_while(|text| *text != "--");
    options.any(|text| text == "--recursive" || is_recursive_cluster(text))
}

/// Whether these are options of `rm`, one of which is `-r`. PowerShell's `rm -Force` has an `r` too.
fn is_recursive_cluster(text: &str) -> bool {
    let letters = text.strip_prefix('-').unwrap_or_default();
    letters.contains(['r', 'R']) && letters.chars().all(|letter| "dfiIrRv".contains(letter))
}

fn starts_rm(call: &Call<'_>) -> bool {
    let names = |words| Call::of(words, Context::default()).map(|started| started.name);
    inner::started(call).into_iter().any(|words| names(words) == Some("rm"))
}

fn is_fed_by_search(call: &Call<'_>) -> bool {
    let name = |command: &Command| command.words.first().map(|word| word.text.clone());
    call.context
        .upstream
        .iter()
        .filter_map(name)
        .any(|name| matches!(name.as_str(), "find" | "fd" | "fdfind"))
}

fn removes_recursively_on_windows(name: &str, call: &Call<'_>) -> bool {
    let is_any = |names: &[&str]| names.iter().any(|known| name.eq_ignore_ascii_case(known));
    let has = |option: &str| {
        let begins =
            |text: &str| text.get(..option.len()).is_some_and(|head| head.eq_ignore_ascii_case(option));
        call.args.iter().any(|word| begins(&word.text))
    };
    (is_any(&["Remove-Item", "ri", "rm", "rd", "rmdir", "del"]) && has("-rec"))
        || (is_any(&["rd", "rmdir", "del"]) && has("/s"))
}

/// `chmod 777`, `chmod o+w`, `chmod a=rwx`. A sticky directory, in which each may delete only what is theirs, is
/// as `/tmp` should be.
pub(super) fn lets_everybody_write(call: &Call<'_>) -> bool {
    if !matches!(call.name, "chmod" | "gchmod") {
        return false;
    }
    let arguments = Arguments::of(call.args, Valued { short: "", long: &["--reference"] });
    arguments.operands.first().is_some_and(|mode| {
        let mode = mode.text.as_str();
        octal_writes(mode).unwrap_or_else(|| mode.split(',').any(clause_writes))
    })
}

/// Whether a mode in digits lets others write; none if it is not in digits.
fn octal_writes(mode: &str) -> Option<bool> {
    let mode = u32::from_str_radix(mode, 8).ok()?;
    let (others_write, sticky) = (mode & 0o002 != 0, mode & 0o1000 != 0);
    Some(others_write && !sticky)
}

/// Whether a clause such as `ug+rw-x` lets others write.
fn clause_writes(clause: &str) -> bool {
    let (who, actions) = clause.split_at(clause.find(['+', '-', '=']).unwrap_or(clause.len()));
    let mut adds = false;
    who.contains(['o', 'a'])
        && actions.chars().any(|c| {
            match c {
                '+' | '=' => adds = true,
                '-' => adds = false,
                _ => {}
            }
            adds && c == 'w'
        })
}
