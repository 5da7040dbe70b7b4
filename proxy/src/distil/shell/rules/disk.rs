//! Disks that lose what is on them.

use crate::distil::shell::{
    call::Call,
    options::{Arguments, Valued},
};

/// How the names of disks' devices begin.
const DEVICES: [&str; 12] =
    ["sd", "hd", "vd", "xvd", "nvme", "mmcblk", "disk", "rdisk", "mapper/", "md", "dm-", "loop"];

/// `dd of=/dev/sda`, `mkfs`, `> /dev/sda` and their likes.
pub(super) fn overwrites_a_disk(call: &Call<'_>) -> bool {
    let redirects = call.context.command.into_iter().flat_map(|command| &command.writes);
    redirects.into_iter().any(|target| is_disk(&target.text)) || program_overwrites(call)
}

fn program_overwrites(call: &Call<'_>) -> bool {
    let arguments = Arguments::of(call.args, Valued::default());
    let names_something = !arguments.operands.is_empty();
    match call.name {
        "dd" => call.args.iter().filter_map(|word| word.text.strip_prefix("of=")).any(is_disk),
        "tee" => arguments.operands.iter().any(|operand| is_disk(&operand.text)),
        "cp" => arguments.operands.last().is_some_and(|target| is_disk(&target.text)),
        "shred" | "blkdiscard" | "mke2fs" | "newfs" => names_something,
        "wipefs" => names_something && (arguments.has('a') || arguments.has_long("--all")),
        "diskutil" => {
            call.args.first().is_some_and(|verb| verb.text.to_ascii_lowercase().starts_with("erase"))
        }
        name => {
            names_something && (name == "mkfs" || name.starts_with("mkfs.") || name.starts_with("newfs_"))
        }
    }
}

fn is_disk(path: &str) -> bool {
    path.strip_prefix("/dev/").is_some_and(|device| DEVICES.iter().any(|known| device.starts_with(known)))
}
