//! The tools that a request offers.

use std::borrow::Cow;

use serde::{
    Deserialize,
    de::{IgnoredAny, SeqAccess},
};

use crate::distil::lax::{Lax, Shape, object};

/// The tools that a request offers.
#[derive(Debug, Default)]
pub(super) struct Tools<'a> {
    /// The functions' names; empty of one without.
    functions: Vec<Cow<'a, str>>,
    /// Whether Google's own search is among them.
    pub(super) google_search: bool,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Tool<'a> {
    #[serde(borrow)]
    function_declarations: Lax<Vec<Lax<Function<'a>>>>,
    google_search: Option<IgnoredAny>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Function<'a> {
    #[serde(borrow)]
    name: Lax<Cow<'a, str>>,
}

object!(Tool<'a>, Function<'a>);

impl<'de: 'a, 'a> Shape<'de> for Tools<'a> {
    fn from_seq<A: SeqAccess<'de>>(mut seq: A) -> Result<Option<Self>, A::Error> {
        let mut tools = Self::default();
        while let Some(tool) = seq.next_element::<Lax<Tool<'a>>>()? {
            tools.add(tool.0.unwrap_or_default());
        }
        Ok(Some(tools))
    }
}

impl<'a> Tools<'a> {
    /// Whether no function is offered.
    pub(super) fn is_empty(&self) -> bool {
        self.functions.is_empty()
    }

    /// Whether the function `name` is offered.
    pub(super) fn has(&self, name: &str) -> bool {
        self.names().any(|function| function == name)
    }

    /// The functions' names.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.functions.iter().map(|name| &**name)
    }

    fn add(&mut self, tool: Tool<'a>) {
        let functions = tool.function_declarations.0.unwrap_or_default();
        let name =
            |function: Lax<Function<'a>>| function.0.and_then(|function| function.name.0).unwrap_or_default();
        self.functions.extend(functions.into_iter().map(name));
        self.google_search |= tool.google_search.is_some();
    }
}
