//! Every call of a command line, those in scripts within it included.

use super::{
    MAX_COMMAND,
    call::{Call, Context},
    inner,
    script::{Command, Script},
    word::Word,
};

/// How deep scripts may lie in each other.
const MAX_DEPTH: u8 = 8;

/// How many bytes of script are read in all: a script within a script is read once for each.
const MAX_READ: usize = 4 * MAX_COMMAND;

/// Visits calls, bounded in depth and in work.
pub(super) struct Walk<'v> {
    visit: &'v mut dyn FnMut(&Call<'_>),
    depth: u8,
    budget: usize,
}

impl<'v> Walk<'v> {
    pub(super) fn new(visit: &'v mut dyn FnMut(&Call<'_>)) -> Self {
        Self { visit, depth: 0, budget: MAX_READ }
    }

    /// Visits the calls of a command line.
    pub(super) fn line(mut self, line: &str) {
        self.script(&line[..line.floor_char_boundary(MAX_COMMAND)]);
    }

    /// Visits the calls of a command that no shell has cut.
    pub(super) fn argv(mut self, words: &[Word]) {
        self.words(words, Context::default());
    }

    fn script(&mut self, source: &str) {
        let Some(budget) = self.budget.checked_sub(source.len()) else { return };
        if self.depth == MAX_DEPTH {
            return;
        }
        self.budget = budget;
        self.depth += 1;
        let script = Script::parse(source);
        for command in &script.commands {
            self.command(command, &script);
        }
        self.depth -= 1;
    }

    fn command(&mut self, command: &Command, script: &Script) {
        let words = [&command.words, &command.inputs, &command.reads, &command.writes];
        for inside in words.into_iter().flatten().flat_map(|word| &word.scripts) {
            self.script(inside);
        }
        let context = Context {
            command: Some(command),
            upstream: &script.commands[command.upstream.clone()],
            functions: &script.functions,
        };
        self.words(&command.words, context);
    }

    fn words(&mut self, words: &[Word], context: Context<'_>) {
        // A redirection alone writes a file, too.
        let nameless = Call { name: "", args: &[], by_xargs: false, context };
        let call = Call::of(words, context).unwrap_or(nameless);
        (self.visit)(&call);
        for inside in inner::scripts(&call) {
            self.script(&inside);
        }
        for started in inner::started(&call) {
            self.started(started);
        }
    }

    fn started(&mut self, words: &[Word]) {
        if self.depth < MAX_DEPTH {
            self.depth += 1;
            self.words(words, Context::default());
            self.depth -= 1;
        }
    }
}
