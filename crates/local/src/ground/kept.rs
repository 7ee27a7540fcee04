//! What services keep in memory between requests, beside the store: processes, for example.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// One thing of each type, made when it is first asked for. Each service has a type of its own for what it keeps, so that
/// none has to be known here.
#[derive(Default)]
pub struct Kept(Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>);

impl Kept {
    /// The thing of a type; it is made when there is none yet.
    pub fn of<T: Send + Sync + 'static>(&self, make: impl FnOnce() -> T) -> Arc<T> {
        // A panic elsewhere leaves nothing half done behind this lock.
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = all.get(&TypeId::of::<T>()).and_then(|kept| Arc::clone(kept).downcast().ok()) {
            return kept;
        }
        let made = Arc::new(make());
        all.insert(TypeId::of::<T>(), Arc::<T>::clone(&made));
        made
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kept")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thing_is_made_once_and_there_is_one_of_each_type() {
        let kept = Kept::default();
        assert_eq!(*kept.of(|| 1_u8), 1);
        assert_eq!(*kept.of(|| 2_u8), 1);
        assert_eq!(*kept.of(|| "text".to_owned()), "text");
    }
}
