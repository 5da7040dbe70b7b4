//! Secrets that are read from where they are stored.

use super::reading::files_read;
use crate::distil::shell::call::Call;

/// Files that hold secrets, whatever directory they lie in.
const NAMES: [&str; 13] = [
    "id_rsa",
    "id_ed25519",
    "id_ecdsa",
    "id_dsa",
    ".netrc",
    "_netrc",
    ".pgpass",
    ".my.cnf",
    ".pypirc",
    ".git-credentials",
    ".vault-token",
    "application_default_credentials.json",
    "credentials.tfrc.json",
];

/// Files that hold secrets, with the directories that make them so.
const ENDS: [&str; 16] = [
    "/.aws/credentials",
    "/.docker/config.json",
    "/.kube/config",
    "/.config/gh/hosts.yml",
    "/.cargo/credentials",
    "/.cargo/credentials.toml",
    "/.gem/credentials",
    "/.config/gcloud/credentials.db",
    "/.config/gcloud/access_tokens.db",
    "/.azure/accessTokens.json",
    "/.azure/msal_token_cache.json",
    "/.claude/.credentials.json",
    "/.codex/auth.json",
    "/.gemini/oauth_creds.json",
    "/etc/shadow",
    "/etc/gshadow",
];

/// Commands that hand out a secret: the words that they begin with.
const QUESTIONS: [&[&str]; 16] = [
    &["security", "find-generic-password"],
    &["security", "find-internet-password"],
    &["security", "dump-keychain"],
    &["secret-tool", "lookup"],
    &["gh", "auth", "token"],
    &["gcloud", "auth", "print-access-token"],
    &["gcloud", "auth", "print-identity-token"],
    &["gcloud", "auth", "application-default", "print-access-token"],
    &["gcloud", "secrets", "versions", "access"],
    &["aws", "configure", "export-credentials"],
    &["aws", "configure", "get", "aws_secret_access_key"],
    &["aws", "secretsmanager", "get-secret-value"],
    &["az", "account", "get-access-token"],
    &["git", "credential", "fill"],
    &["op", "read"],
    &["vault", "kv", "get"],
];

/// The file of a stored secret is read, or a program is asked for one.
pub(super) fn reads_a_credential(call: &Call<'_>) -> bool {
    files_read(call).into_iter().any(is_credential)
        || sent(call).into_iter().any(is_credential)
        || QUESTIONS.iter().any(|question| asks(call, question))
}

fn asks(call: &Call<'_>, question: &[&str]) -> bool {
    let words = call.args.iter().map(|word| word.text.as_str());
    std::iter::once(call.name).chain(words).take(question.len()).eq(question.iter().copied())
}

/// The files that `curl` sends: `-d @FILE`, `-F name=@FILE`, `-T FILE`.
fn sent<'a>(call: &Call<'a>) -> Vec<&'a str> {
    if call.name != "curl" {
        return Vec::new();
    }
    let uploaded = call.args.windows(2).filter_map(|pair| match pair {
        [option, file] if matches!(option.text.as_str(), "-T" | "--upload-file") => Some(file.text.as_str()),
        _ => None,
    });
    let included = call.args.iter().filter_map(|word| word.text.split_once('@')).map(|(_, file)| file);
    uploaded.chain(included).collect()
}

fn is_credential(path: &str) -> bool {
    let (directory, name) = path.rsplit_once(['/', '\\']).unwrap_or(("", path));
    let rooted = format!("/{path}");
    NAMES.contains(&name)
        || ENDS.iter().any(|end| rooted.ends_with(end))
        || is_environment_file(name)
        || (name == ".npmrc" && is_home(directory))
        || (is_ssh_directory(directory) && is_private_key(name))
        || (path.starts_with("/proc/") && name == "environ")
}

/// `.env` and `.env.production`, but not the example that is shared.
fn is_environment_file(name: &str) -> bool {
    let shared = ["example", "sample", "template", "dist", "defaults", "schema"];
    match name.strip_prefix(".env") {
        Some("") => true,
        Some(rest) => rest.starts_with('.') && !shared.iter().any(|word| rest.ends_with(word)),
        None => false,
    }
}

/// Whether a directory is somebody's home. A project has an `.npmrc`, too, mostly without a secret in it.
fn is_home(directory: &str) -> bool {
    matches!(directory, "~" | "$HOME" | "${HOME}" | "/root")
        || directory.rsplit_once('/').is_some_and(|(parent, _)| matches!(parent, "/home" | "/Users"))
}

fn is_ssh_directory(directory: &str) -> bool {
    directory == ".ssh" || directory.ends_with("/.ssh") || directory == "/etc/ssh"
}

fn is_private_key(name: &str) -> bool {
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    let is_key = stem.starts_with("id_") || stem.starts_with("ssh_host_") || stem.contains('*');
    matches!(extension, "pem" | "key") || (is_key && extension != "pub")
}
