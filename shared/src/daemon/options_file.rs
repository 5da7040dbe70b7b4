//! A program's options in a file: `proxy.json` and `exporter.json` in the directory for configuration.
//!
//! Every option that has an environment variable has a key there, its name with underscores. The command line goes before
//! the variable, and that before the file.

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error as _,
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use clap::{
    Arg, ArgAction, Command, Parser,
    error::{ContextKind, ErrorKind},
};
use directories::ProjectDirs;

use crate::json::{
    FileProblems, Node, Problem, Value,
    document::Member,
    problem::{listed, nearest},
};

/// The file's values, by option.
type Values = BTreeMap<String, Vec<String>>;

/// Why a file of options is of no use.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OptionsFileError {
    /// It has mistakes.
    #[error("{0}")]
    Problems(FileProblems),
    /// It cannot be read.
    #[error("failed to read `{path}`")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Somebody else could say what this program does.
    #[error(
        "`{path}` can be written by others or belongs to somebody else; run `chmod go-w` on it, or make it yours"
    )]
    NotOurs {
        /// Which.
        path: PathBuf,
    },
}

/// Where the options of the program `name` lie, for example `exporter.json`.
pub fn path(name: &str) -> Option<PathBuf> {
    ProjectDirs::from("", "", "ccxray").map(|dirs| dirs.config_dir().join(format!("{name}.json")))
}

/// The command line, with what it leaves open taken from the environment, and then from the file at `path`. Like
/// [`Parser::parse`], it ends the process if the command line is none, or asks for help.
pub fn parse<C: Parser>(path: Option<&Path>) -> Result<C, OptionsFileError> {
    let command = with_file(C::command(), path)?;
    let matches = command.get_matches();
    Ok(C::from_arg_matches(&matches).unwrap_or_else(|error| error.exit()))
}

/// `command` with the file's values in place of its defaults.
fn with_file(command: Command, path: Option<&Path>) -> Result<Command, OptionsFileError> {
    let Some((path, text)) = path.map(|path| Ok((path, read(path)?))).transpose()? else {
        return Ok(command);
    };
    let Some(text) = text else { return Ok(command) };
    let values = values(&command, &text);
    let values = values
        .map_err(|problems| OptionsFileError::Problems(FileProblems { path: path.to_owned(), problems }))?;
    Ok(with_defaults(command, &values))
}

fn read(path: &Path) -> Result<Option<String>, OptionsFileError> {
    let failed = |source| OptionsFileError::Read { path: path.to_owned(), source };
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let is_ours = metadata.uid() == 0 || metadata.uid() == rustix::process::geteuid().as_raw();
    if !is_ours || metadata.mode() & 0o022 != 0 {
        return Err(OptionsFileError::NotOurs { path: path.to_owned() });
    }
    fs::read_to_string(path).map(Some).map_err(failed)
}

/// What `text` says for the options of `command`, or everything that is wrong with it.
fn values(command: &Command, text: &str) -> Result<Values, Vec<Problem>> {
    let root = Node::parse(text).map_err(|problem| vec![problem])?;
    let Value::Object(members) = &root.value else {
        return Err(vec![Problem::new(root.place, "", "this is not an object, {…}")]);
    };
    let mut values = Values::new();
    let mut problems = Vec::new();
    for member in members {
        match value(command, member) {
            Ok(value) => {
                values.insert(member.key.to_string(), value);
            }
            Err((at_key, what)) => {
                let place = if at_key { member.place } else { member.node.place };
                problems.push(Problem::new(place, &*member.key, what));
            }
        }
    }
    if problems.is_empty() { Ok(values) } else { Err(problems) }
}

/// The value of an option; or whether its key is at fault, and what is wrong.
fn value(command: &Command, member: &Member<'_>) -> Result<Vec<String>, (bool, String)> {
    let options = options(command);
    let Some((at, arg)) = options.iter().find(|(_, arg)| arg.get_id() == &*member.key) else {
        return Err((true, unknown(&member.key, &options)));
    };
    let texts = texts(&member.node.value, arg).map_err(|what| (false, what.to_owned()))?;
    match refused(command, at, arg, &texts) {
        None => Ok(texts),
        Some(what) => Err((false, what)),
    }
}

fn unknown(key: &str, options: &[(Vec<String>, Arg)]) -> String {
    let known = || options.iter().map(|(_, arg)| arg.get_id().as_str());
    if let Some(meant) = nearest(key, known()) {
        return format!("unknown key; did you mean `{meant}`?");
    }
    let known: BTreeSet<&str> = known().collect();
    format!("unknown key; known are {}", listed(known.into_iter()))
}

/// Every option that can be given as a variable, with the commands that lead to it.
fn options(command: &Command) -> Vec<(Vec<String>, Arg)> {
    let own = command.get_arguments().filter(|arg| arg.get_env().is_some());
    let mut options: Vec<_> = own.map(|arg| (Vec::new(), arg.clone())).collect();
    for sub in command.get_subcommands() {
        let below = self::options(sub).into_iter();
        options.extend(below.map(|(at, arg)| ([vec![sub.get_name().to_owned()], at].concat(), arg)));
    }
    options
}

fn texts(value: &Value<'_>, arg: &Arg) -> Result<Vec<String>, &'static str> {
    let is_flag = matches!(arg.get_action(), ArgAction::SetTrue);
    let is_list = matches!(arg.get_action(), ArgAction::Append);
    match value {
        Value::Bool(value) if is_flag => Ok(vec![value.to_string()]),
        _ if is_flag => Err("write true or false"),
        Value::String(text) => Ok(vec![text.to_string()]),
        Value::Number(number) => Ok(vec![number.to_string()]),
        Value::Array(elements) if is_list => {
            let texts = elements.iter().map(|element| element.as_str().map(str::to_owned));
            texts.collect::<Option<_>>().ok_or("write texts in the list")
        }
        _ if is_list => Err("write a text, or a list of texts"),
        _ => Err("write a text or a number"),
    }
}

/// What the option has against its value.
fn refused(command: &Command, at: &[String], arg: &Arg, texts: &[String]) -> Option<String> {
    if matches!(arg.get_action(), ArgAction::SetTrue) {
        return None;
    }
    let long = arg.get_long()?;
    let start = [command.get_name().to_owned()].into_iter().chain(at.iter().cloned());
    let line = start.chain(texts.iter().map(|text| format!("--{long}={text}")));
    let error = command.clone().try_get_matches_from(line).err()?;
    match error.kind() {
        ErrorKind::ValueValidation => {
            Some(error.source().map_or("this is no good".to_owned(), ToString::to_string))
        }
        ErrorKind::InvalidValue => {
            let valid = error.get(ContextKind::ValidValue).map(ToString::to_string).unwrap_or_default();
            Some(format!("this is none of {valid}"))
        }
        // Something else is missing, which the command line will have.
        _ => None,
    }
}

fn with_defaults(command: Command, values: &Values) -> Command {
    let command = command.mut_args(|arg| match values.get(arg.get_id().as_str()) {
        Some(value) if arg.get_env().is_some() => arg.default_values(value.clone()).required(false),
        _ => arg,
    });
    command.mut_subcommands(|sub| with_defaults(sub, values))
}

#[cfg(test)]
mod tests {
    use std::{os::unix::fs::PermissionsExt, time::Duration};

    use clap::{Args, CommandFactory, FromArgMatches, builder::FalseyValueParser};

    use super::*;
    use crate::daemon::units::parse_duration;

    #[derive(Debug, Parser)]
    #[command(name = "program")]
    struct Cli {
        #[command(subcommand)]
        command: Sub,
    }

    #[derive(Debug, clap::Subcommand)]
    enum Sub {
        Run(Run),
        Status(Status),
    }

    #[derive(Debug, Args)]
    struct Run {
        #[arg(long, env = "X_STATE_DIR")]
        state_dir: Option<PathBuf>,
        #[arg(long, env = "X_PATIENCE", value_parser = parse_duration, default_value = "1s")]
        patience: Duration,
        #[arg(long, env = "X_LISTEN", value_delimiter = ',')]
        listen: Vec<String>,
        #[arg(long, env = "X_FLUSH", value_parser = FalseyValueParser::new())]
        flush: bool,
        #[arg(long, env = "X_TIER", value_parser = clap::value_parser!(u8).range(0..=2))]
        tier: Option<u8>,
        #[arg(long)]
        once: bool,
    }

    #[derive(Debug, Args)]
    struct Status {
        #[arg(long, env = "X_STATE_DIR")]
        state_dir: Option<PathBuf>,
    }

    fn parsed(text: &str, line: &[&str]) -> Sub {
        let values = values(&Cli::command(), text).unwrap();
        let matches = with_defaults(Cli::command(), &values).try_get_matches_from(line).unwrap();
        Cli::from_arg_matches(&matches).unwrap().command
    }

    fn run(text: &str, line: &[&str]) -> Run {
        match parsed(text, &[&["program", "run"], line].concat()) {
            Sub::Run(run) => run,
            Sub::Status(status) => panic!("{status:?}"),
        }
    }

    const FILE: &str =
        r#"{"state_dir": "/s", "patience": "5s", "listen": ["a", "b"], "flush": true, "tier": 1}"#;

    #[test]
    fn what_the_command_line_leaves_open_is_taken_from_the_file() {
        let Run { state_dir, patience, listen, flush, tier, once } = run(FILE, &[]);
        assert_eq!((state_dir, patience, tier), (Some("/s".into()), Duration::from_secs(5), Some(1)));
        assert_eq!((listen, flush, once), (vec!["a".to_owned(), "b".to_owned()], true, false));
        let given = run(FILE, &["--patience", "2s", "--listen", "c", "--tier", "0"]);
        assert_eq!(
            (given.patience, given.listen, given.tier),
            (Duration::from_secs(2), vec!["c".to_owned()], Some(0))
        );
        assert_eq!(run("{}", &[]).patience, Duration::from_secs(1));
    }

    #[test]
    fn a_key_is_for_every_command_that_has_the_option() {
        let Sub::Status(status) = parsed(FILE, &["program", "status"]) else { panic!() };
        assert_eq!(status.state_dir, Some("/s".into()));
    }

    #[test]
    fn mistakes_are_told_at_their_place_with_what_to_write() {
        let complaints = |text: &str| {
            let problems = values(&Cli::command(), text).unwrap_err();
            FileProblems { path: "x.json".into(), problems }.to_string()
        };
        for (text, expected) in [
            ("{\n \"state-dir\": \"/s\"}", "x.json:2:2: state-dir: unknown key; did you mean `state_dir`?"),
            (
                r#"{"once": true}"#,
                "x.json:1:2: once: unknown key; known are `flush`, `listen`, `patience`, `state_dir`, `tier`",
            ),
            (r#"{"tier": 7}"#, "x.json:1:10: tier: 7 is not in 0..=2"),
            (r#"{"flush": "yes"}"#, "x.json:1:11: flush: write true or false"),
            (r#"{"listen": [1]}"#, "x.json:1:12: listen: write texts in the list"),
            (r#"{"tier": null}"#, "x.json:1:10: tier: write a text or a number"),
            ("[]", "x.json:1:1: this is not an object, {…}"),
            (
                r#"{"patience": "5", "tier": -1}"#,
                "x.json:1:14: patience: `5` is not a duration; write a whole number and a unit, for example `30s` or \
                 `5m`\nx.json:1:27: tier: -1 is not in 0..=2",
            ),
        ] {
            assert_eq!(complaints(text), expected, "{text}");
        }
    }

    #[test]
    fn a_file_that_others_can_write_is_not_read_and_none_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.json");
        assert!(matches!(read(&path), Ok(None)));
        fs::write(&path, "{}").unwrap();
        for (mode, is_read) in [(0o644, true), (0o600, true), (0o664, false), (0o602, false)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(read(&path).is_ok(), is_read, "{mode:o}");
        }
    }
}
