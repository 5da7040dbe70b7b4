//! Functions that multiply.

use crate::distil::shell::call::Call;

/// `:(){ :|:& };:`: a function that pipes itself into itself.
pub(super) fn starts_itself_twice(call: &Call<'_>) -> bool {
    let is_itself = |name: &str| name == call.name;
    call.context.functions.iter().any(|function| is_itself(function))
        && call
            .context
            .upstream
            .iter()
            .any(|command| command.words.first().is_some_and(|word| is_itself(&word.text)))
}
