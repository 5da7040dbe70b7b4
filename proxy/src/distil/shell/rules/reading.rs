//! Which files a call reads.

use crate::distil::shell::{
    call::Call,
    options::{Arguments, Valued},
    word::Word,
};

/// Programs all of whose operands are files that they read. A value of an option among them names no file.
const READERS: [&str; 27] = [
    "cat",
    "tac",
    "less",
    "more",
    "head",
    "tail",
    "bat",
    "batcat",
    "nl",
    "strings",
    "xxd",
    "od",
    "hexdump",
    "base64",
    "cut",
    "sort",
    "diff",
    "paste",
    "fold",
    "view",
    "vim",
    "nano",
    "source",
    ".",
    "type",
    "get-content",
    "gc",
];

/// Programs whose first operand is a pattern or a script, and the others files; which options take a value.
const SEARCHERS: [(&str, Valued); 10] = [
    ("grep", GREP),
    ("egrep", GREP),
    ("fgrep", GREP),
    ("rg", GREP),
    ("sed", Valued { short: "ef", long: &["--expression", "--file"] }),
    ("gsed", Valued { short: "ef", long: &["--expression", "--file"] }),
    ("awk", Valued { short: "Fvf", long: &[] }),
    ("gawk", Valued { short: "Fvf", long: &[] }),
    ("jq", Valued { short: "fL", long: &["--from-file"] }),
    ("yq", Valued { short: "op", long: &["--output-format", "--input-format"] }),
];

const GREP: Valued = Valued {
    short: "ABCmtgef",
    long: &["--include", "--exclude", "--exclude-dir", "--glob", "--type", "--regexp", "--file"],
};

/// Programs whose last operand is written, and the others read; which options take a value.
const COPIERS: [(&str, Valued); 4] = [
    ("cp", Valued { short: "tS", long: &["--target-directory", "--suffix"] }),
    ("gcp", Valued { short: "tS", long: &["--target-directory", "--suffix"] }),
    ("scp", Valued { short: "iPFolcJSD", long: &[] }),
    ("rsync", Valued { short: "efBT", long: &["--rsh", "--filter", "--exclude", "--include"] }),
];

/// The files that a call reads, as far as its words and redirections name them.
pub(crate) fn files_read<'a>(call: &Call<'a>) -> Vec<&'a str> {
    let redirected = call.context.command.into_iter().flat_map(|command| &command.reads);
    operands_read(call).into_iter().chain(redirected).map(|word| word.text.as_str()).collect()
}

fn operands_read<'a>(call: &Call<'a>) -> Vec<&'a Word> {
    let name = call.name.to_ascii_lowercase();
    let options_in = |table: &[(&str, Valued)]| {
        table.iter().find(|(known, _)| *known == name).map(|(_, valued)| Arguments::of(call.args, *valued))
    };
    if READERS.contains(&name.as_str()) {
        Arguments::of(call.args, Valued::default()).operands
    } else if let Some(arguments) = options_in(&SEARCHERS) {
        let skipped = usize::from(!states_its_pattern(&arguments));
        arguments.operands.into_iter().skip(skipped).collect()
    } else if let Some(mut arguments) = options_in(&COPIERS) {
        arguments.operands.pop();
        arguments.operands
    } else {
        Vec::new()
    }
}

/// Whether the pattern is an option's value: then every operand is a file.
fn states_its_pattern(arguments: &Arguments<'_>) -> bool {
    let long = ["--regexp", "--expression", "--file", "--from-file"];
    arguments.has('e') || arguments.has('f') || long.iter().any(|name| arguments.has_long(name))
}
