//! The files behind the consents, read again and again.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use ccxray_shared::state_dir::StateDir;

use super::{
    automount::Mounts,
    config::FileKind,
    consents::{Consents, Findings},
    environment::Environment,
    error::ConsentError,
    grant::Grant,
    lookup::{self, Places, Project, Stated},
    own::Home,
    reason::Reason,
    resolve::Parties,
    tier::Tier,
    trust::{TrustList, TrustStore},
};

/// How many directories are kept in mind. Beyond it one is forgotten, and explored again when it is asked for.
const MAX_DIRECTORIES: usize = 256;

/// The exporter's environment.
pub type OwnedVariables = Box<dyn Fn(&str) -> Option<String> + Send>;

/// Where consent comes from.
pub struct Sources {
    /// Where the user's own file may lie.
    pub home: Home,
    /// What the user trusts.
    pub trust: TrustStore,
    /// The tier of the command line; none if none was given.
    pub ceiling: Option<Tier>,
    /// What another process was told of exchanges that no file covers, in place of what this one's command line and
    /// environment say of them.
    pub told: Option<Grant>,
    /// The exporter's environment.
    pub variables: OwnedVariables,
}

impl Sources {
    /// Those of the user who runs this, with the state in `state_dir`.
    pub fn of_this_user(state_dir: &StateDir, tier: Option<u8>) -> Self {
        Self {
            home: Home::of_this_user(),
            trust: TrustStore::new(&state_dir.exporter()),
            ceiling: tier.and_then(|tier| Tier::from_number(tier.into())),
            told: None,
            variables: Box::new(|name| std::env::var(name).ok()),
        }
    }
}

/// Reads the files behind the consents.
pub struct Keeper {
    sources: Sources,
    environment: Environment,
    /// Directories of entries that lie in trusted places.
    explored: BTreeSet<String>,
    /// Directories in which a project's file has been seen; where it is gone, nothing may leave.
    had_file: BTreeSet<PathBuf>,
    current: Arc<Consents>,
}

impl Keeper {
    /// Reads everything. Fails if the user's own configuration is no good.
    pub fn start(sources: Sources) -> Result<Self, ConsentError> {
        let environment = Environment::read(&*sources.variables);
        for key in &environment.ignored {
            tracing::warn!("OTEL_RESOURCE_ATTRIBUTES: `{key}` is not sent");
        }
        let mut keeper = Self {
            sources,
            environment,
            explored: BTreeSet::new(),
            had_file: BTreeSet::new(),
            current: Arc::new(nothing(Reason::NoTier)),
        };
        let (own, list) = keeper.read_own()?;
        keeper.check(own.as_ref())?;
        keeper.current = Arc::new(keeper.read(own.as_ref(), list));
        Ok(keeper)
    }

    /// What holds now.
    pub fn consents(&self) -> Arc<Consents> {
        Arc::clone(&self.current)
    }

    /// The environment, as it was at the start.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Looks at directories of entries, and keeps those in trusted places in mind. What holds from now on.
    pub fn explore<'d>(&mut self, dirs: impl IntoIterator<Item = &'d str>) -> Arc<Consents> {
        let current = self.consents();
        for dir in dirs.into_iter().filter_map(lookup::plain).filter(|dir| current.may_explore(dir)) {
            if self.explored.len() >= MAX_DIRECTORIES && !self.explored.contains(dir) {
                self.forget_one();
            }
            self.explored.insert(dir.to_owned());
        }
        self.reload();
        self.consents()
    }

    /// A grant that no directory leads to any more would be one that was withdrawn: if possible, one goes of which another
    /// directory has the same, or nothing.
    fn forget_one(&mut self) {
        let spare = self.current.spare_directory().map(str::to_owned);
        match spare {
            Some(dir) if self.explored.remove(&dir) => {}
            Some(_) | None => drop(self.explored.pop_first()),
        }
    }

    /// Reads everything again; what holds from now on, if it is something else. If the user's own configuration is no good
    /// any more, nothing may leave.
    pub fn reload(&mut self) -> Option<Arc<Consents>> {
        let new = match self.read_own() {
            Ok((own, list)) => self.read(own.as_ref(), list),
            Err(error) => nothing(Reason::Own(error.to_string())),
        };
        if new == *self.current {
            return None;
        }
        self.current = Arc::new(new);
        Some(self.consents())
    }

    fn read_own(&self) -> Result<(Option<Stated>, TrustList), ConsentError> {
        Ok((self.sources.home.read()?, self.sources.trust.load()?))
    }

    /// Whether what the start would use is well-formed.
    fn check(&self, own: Option<&Stated>) -> Result<(), ConsentError> {
        self.parties(own).check_own().map_err(ConsentError::Problems)?;
        if self.sources.ceiling.is_some_and(|ceiling| ceiling > Tier::Disabled) {
            self.environment.is_disabled.clone()?;
            self.environment.destination.clone()?;
        }
        Ok(())
    }

    fn read(&mut self, own: Option<&Stated>, list: TrustList) -> Consents {
        let places = self.places(own, list);
        self.explored.retain(|dir| places.real(dir).is_some());
        let trusted = places.list.iter().filter_map(|trusted| trusted.dir.to_str());
        let dirs: BTreeSet<String> =
            self.explored.iter().map(String::as_str).chain(trusted).map(str::to_owned).collect();
        let own_path = own.map(|own| own.path.as_path());
        let mut looked = BTreeMap::new();
        for dir in dirs {
            let project = places.look(&dir).and_then(|project| self.remember(&dir, &places, project));
            looked.insert(dir, project.map(|project| without_own(project, own_path)));
        }
        let parties = self.parties(own);
        let covered =
            |project: Result<Project, Reason>| project.and_then(|project| parties.project(&project));
        let directories = looked.into_iter().map(|(dir, project)| (dir, covered(project))).collect();
        // What is mounted matters for looking only; that it changes is no change of consent.
        let places = Places { mounts: Mounts::default(), ..places };
        let server = self.sources.told.clone().map_or_else(|| parties.server(), Ok);
        Consents::of(Findings { places, server, directories })
    }

    fn places(&self, own: Option<&Stated>, list: TrustList) -> Places {
        let roots = own.map(|own| self.sources.home.roots(&own.settings)).unwrap_or_default();
        let is_trusting = !roots.is_empty() || list.iter().next().is_some();
        let mounts = if is_trusting { Mounts::of_this_machine() } else { Mounts::default() };
        Places { roots, list, mounts }
    }

    /// Notes where a project's file was seen, and objects if one is gone.
    fn remember(&mut self, dir: &str, places: &Places, project: Project) -> Result<Project, Reason> {
        if let Some(file) = &project.file {
            self.had_file.extend(file.path.parent().map(PathBuf::from));
            return Ok(project);
        }
        let Some((real, _)) = places.real(dir) else { return Ok(project) };
        let gone =
            real.ancestors().find(|above| self.had_file.contains(*above) && places.list.of(above).is_none());
        match gone {
            Some(above) => Err(Reason::Vanished(above.join(FileKind::Project.file_name()))),
            None => Ok(project),
        }
    }

    fn parties<'k>(&'k self, own: Option<&'k Stated>) -> Parties<'k> {
        Parties {
            own,
            ceiling: self.sources.ceiling,
            environment: &self.environment,
            variables: &*self.sources.variables,
        }
    }
}

/// The user's own file is not one beside a project, also if the home directory is one.
fn without_own(mut project: Project, own: Option<&Path>) -> Project {
    project.personal.retain(|stated| Some(stated.path.as_path()) != own);
    project
}

fn nothing(reason: Reason) -> Consents {
    Consents::of(Findings { places: Places::default(), server: Err(reason), directories: BTreeMap::new() })
}

impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keeper").field("current", &self.current).finish_non_exhaustive()
    }
}
