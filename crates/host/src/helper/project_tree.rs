//! What belongs to a project, and so may be a stranger's.

use std::path::{Component, Path, PathBuf};

/// A project's folder, and the repository it lies in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProjectTree {
    roots: Vec<PathBuf>,
}

impl ProjectTree {
    /// The tree of a project's folder.
    pub fn of(project: &Path) -> Self {
        let Ok(written) = std::path::absolute(project) else { return Self::default() };
        let mut roots = vec![written.clone()];
        if let Ok(real) = written.canonicalize() {
            let repository = real.ancestors().find(|folder| folder.join(".git").exists());
            roots.extend(repository.map(Path::to_owned));
            roots.push(real);
        }
        Self { roots }
    }

    /// The tree of a project by its folder `.bedplate/local`; of any other folder, none.
    pub fn of_state(dir: &Path) -> Self {
        let state = std::path::absolute(dir).ok();
        let own = state.as_deref().and_then(Path::parent).filter(|own| own.ends_with(".bedplate"));
        own.and_then(Path::parent).map(Self::of).unwrap_or_default()
    }

    /// Whether a path lies in the project, by its name or by where its links lead.
    pub fn contains(&self, path: &Path) -> bool {
        let inside = |path: &Path| self.roots.iter().any(|root| path.starts_with(root));
        let as_written = !path.components().any(|part| part == Component::ParentDir) && inside(path);
        as_written || path.ancestors().find_map(|known| known.canonicalize().ok()).is_some_and(|real| inside(&real))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_and_the_repository_around_it_count() {
        let dir = tempfile::tempdir().expect("a folder");
        let (project, outside) = (dir.path().join("repository/infra"), dir.path().join("outside"));
        for folder in [&project, &outside, &dir.path().join("repository/.git"), &dir.path().join("repository/venv/bin")]
        {
            std::fs::create_dir_all(folder).expect("a folder");
        }
        std::os::unix::fs::symlink(&project, outside.join("link")).expect("a link");
        let tree = ProjectTree::of(&project);
        for inside in [project.join("bin"), dir.path().join("repository/venv/bin"), outside.join("link/not/there")] {
            assert!(tree.contains(&inside), "{}", inside.display());
        }
        assert!(tree.contains(&outside.join("../repository/infra/bin")));
        assert!(!tree.contains(&outside));
        assert!(!tree.contains(&project.join("../../outside/bin")));
        assert!(!tree.contains(dir.path()));
        assert_eq!(ProjectTree::of_state(&project.join(".bedplate/local")), tree);
        assert_eq!(ProjectTree::of_state(&outside), ProjectTree::default());
    }
}
