//! What a packager makes of a command line: completions for shells, and man pages.

use std::io::{self, Write};

use clap::{Args, Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;

/// What `completions` is told.
#[derive(Clone, Debug, Args)]
pub struct CompletionsOptions {
    /// For which shell
    pub shell: Shell,
}

/// What `man` is told.
#[derive(Clone, Debug, Args)]
pub struct ManOptions {
    /// The command whose page is wanted [default: the program's own]
    pub command: Option<String>,
}

/// There is no such command.
#[derive(Debug, thiserror::Error)]
#[error("there is no command `{name}`; there are {known}")]
pub struct NoSuchCommandError {
    name: String,
    known: String,
}

/// Writes the completions of `C` for a shell to stdout.
pub fn completions<C: CommandFactory>(shell: Shell) -> io::Result<()> {
    let mut command = C::command();
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    io::stdout().write_all(&script)
}

/// Writes a man page to stdout: of the whole program, or of one of its commands.
pub fn man<C: CommandFactory>(of: Option<&str>) -> io::Result<()> {
    let mut program = C::command().disable_help_subcommand(true);
    program.build();
    let source = format!("{program} {}", program.get_version().unwrap_or_default());
    let command = find(&program, of).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    let mut page = Vec::new();
    Man::new(command).source(source).render(&mut page)?;
    io::stdout().write_all(&page)
}

fn find(program: &Command, name: Option<&str>) -> Result<Command, NoSuchCommandError> {
    let Some(name) = name else { return Ok(program.clone()) };
    program.find_subcommand(name).cloned().ok_or_else(|| NoSuchCommandError {
        name: name.to_owned(),
        known: program.get_subcommands().map(|command| format!("`{command}`")).collect::<Vec<_>>().join(", "),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_command_is_told_which_ones_there_are() {
        let program = Command::new("x").subcommand(Command::new("run")).subcommand(Command::new("env"));
        assert_eq!(find(&program, Some("run")).unwrap().get_name(), "run");
        let error = find(&program, Some("walk")).unwrap_err().to_string();
        assert_eq!(error, "there is no command `walk`; there are `run`, `env`");
    }
}
