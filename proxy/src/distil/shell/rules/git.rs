//! What git cannot bring back.

use crate::distil::shell::{
    call::Call,
    options::{Arguments, Valued},
    word::Word,
};

/// Options that stand before git's subcommand.
const GLOBAL: Valued =
    Valued { short: "Cc", long: &["--git-dir", "--work-tree", "--namespace", "--exec-path", "--config-env"] };

/// `git push --force`, or of a `+refspec`. A lease is asked for first, and the remote branch is replaced all the same.
pub(super) fn pushes_by_force(call: &Call<'_>) -> bool {
    let valued = Valued { short: "o", long: &["--push-option", "--repo", "--receive-pack", "--exec"] };
    subcommand(call, "push").is_some_and(|words| {
        let arguments = Arguments::of(words, valued);
        let forced = arguments.has('f')
            || arguments.has_long("--force")
            || arguments.has_long("--force-with-lease")
            || arguments.operands.iter().any(|operand| operand.text.starts_with('+'));
        forced && !is_rehearsal(&arguments)
    })
}

/// `git reset --hard`
pub(super) fn resets_hard(call: &Call<'_>) -> bool {
    subcommand(call, "reset").is_some_and(|words| Arguments::of(words, Valued::default()).has_long("--hard"))
}

/// `git clean -f`, without which it does nothing.
pub(super) fn cleans(call: &Call<'_>) -> bool {
    subcommand(call, "clean").is_some_and(|words| {
        let arguments = Arguments::of(words, Valued { short: "e", long: &["--exclude"] });
        (arguments.has('f') || arguments.has_long("--force")) && !is_rehearsal(&arguments)
    })
}

/// `git filter-branch`, `git filter-repo`
pub(super) fn rewrites_history(call: &Call<'_>) -> bool {
    call.name == "git-filter-repo"
        || ["filter-branch", "filter-repo"].iter().any(|name| subcommand(call, name).is_some())
}

/// The arguments of git's subcommand `name`.
fn subcommand<'a>(call: &Call<'a>, name: &str) -> Option<&'a [Word]> {
    if call.name != "git" {
        return None;
    }
    let before = Arguments::leading(call.args, GLOBAL).before_operands;
    let (first, rest) = call.args.get(before..)?.split_first()?;
    (first.text == name).then_some(rest)
}

fn is_rehearsal(arguments: &Arguments<'_>) -> bool {
    arguments.has('n') || arguments.has_long("--dry-run")
}
