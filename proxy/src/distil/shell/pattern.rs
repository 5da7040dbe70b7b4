//! The dangerous patterns: a closed set of names.

/// A dangerous pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pattern {
    /// Files are deleted together with their directories.
    RecursiveDelete,
    /// A remote branch is replaced.
    ForcePush,
    /// Uncommitted changes are thrown away.
    HardReset,
    /// Files that are not in the repository are deleted.
    GitClean,
    /// Every commit of a repository is written anew.
    HistoryRewrite,
    /// A database's tables are dropped or emptied.
    DropTable,
    /// A program is fetched from the network and run at once.
    PipeToShell,
    /// A file is made writable for everybody.
    WorldWritable,
    /// A disk is overwritten.
    DiskOverwrite,
    /// A stored secret is read.
    CredentialRead,
    /// A function starts itself twice.
    ForkBomb,
}

impl Pattern {
    /// All of them, in the order in which they are listed.
    pub const ALL: [Self; 11] = [
        Self::RecursiveDelete,
        Self::ForcePush,
        Self::HardReset,
        Self::GitClean,
        Self::HistoryRewrite,
        Self::DropTable,
        Self::PipeToShell,
        Self::WorldWritable,
        Self::DiskOverwrite,
        Self::CredentialRead,
        Self::ForkBomb,
    ];

    /// Its name in an entry.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RecursiveDelete => "recursive_delete",
            Self::ForcePush => "force_push",
            Self::HardReset => "hard_reset",
            Self::GitClean => "git_clean",
            Self::HistoryRewrite => "history_rewrite",
            Self::DropTable => "drop_table",
            Self::PipeToShell => "pipe_to_shell",
            Self::WorldWritable => "world_writable",
            Self::DiskOverwrite => "disk_overwrite",
            Self::CredentialRead => "credential_read",
            Self::ForkBomb => "fork_bomb",
        }
    }

    /// What a command with this pattern does, as `shared/FORMAT.md` lists it.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::RecursiveDelete => {
                "`rm -r`, `find -delete`, `find -exec rm`, `fd -x rm`, `Remove-Item -Recurse`, `rd /s`"
            }
            Self::ForcePush => "`git push` with `--force`, `-f`, `--force-with-lease` or a `+refspec`",
            Self::HardReset => "`git reset --hard`",
            Self::GitClean => "`git clean -f`",
            Self::HistoryRewrite => "`git filter-branch`, `git filter-repo`",
            Self::DropTable => {
                "`DROP TABLE`, `DATABASE` or `SCHEMA`, or `TRUNCATE`, given to a database's client; `dropdb`"
            }
            Self::PipeToShell => {
                "what `curl`, `wget` or their like fetch goes to an interpreter as its program"
            }
            Self::WorldWritable => "`chmod` that lets others write, but for a sticky directory's",
            Self::DiskOverwrite => {
                "`dd` or a redirection onto a disk's device, `mkfs`, `shred`, `wipefs`, `blkdiscard`"
            }
            Self::CredentialRead => {
                "a stored secret's file is read, or a keychain or client is asked for one"
            }
            Self::ForkBomb => "a function that pipes itself into itself",
        }
    }
}
