//! What is computed from a layer's weight once and kept from iteration to iteration.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::HostArray;

/// A cache of what was computed from one weight.
pub struct OfWeight<T>(Arc<Mutex<Option<Entry<T>>>>);

/// What was computed, and what from.
struct Entry<T> {
    source: HostArray,
    made: Arc<T>,
}

impl<T> OfWeight<T> {
    /// What `make` makes of `weight`: the cached one if `weight` is the tensor it was made from, else a new one.
    pub(super) fn of(&self, weight: &HostArray, make: impl FnOnce(&HostArray) -> T) -> Arc<T> {
        if let Some(made) = self.found(weight) {
            return made;
        }
        // Made without the lock: `make` may run on all cores, and a thread that waits for the others may take up another pass
        // of this network meanwhile.
        let made = Arc::new(make(weight));
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Entry {
            source: weight.clone(),
            made: Arc::clone(&made),
        });
        made
    }

    fn found(&self, weight: &HostArray) -> Option<Arc<T>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = kept.as_ref()?;
        // Comparing addresses is enough: the cache keeps the tensor alive, so no other can have the same one.
        std::ptr::eq::<[f32]>(&**weight, &*entry.source).then(|| Arc::clone(&entry.made))
    }
}

impl<T> Default for OfWeight<T> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(None)))
    }
}

impl<T> Clone for OfWeight<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> fmt::Debug for OfWeight<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OfWeight")
    }
}
