use std::fmt;
use std::sync::Arc;

/// Proof that a signature matched, and what the header says about the secrets on both sides.
///
/// The list of signatures is not signed itself: anyone who replays a delivery can add values to it or remove some. Draw
/// conclusions about a rotation from many deliveries, never from one.
#[derive(Clone, PartialEq, Eq)]
pub struct SignatureMatch {
    pub(super) index: usize,
    pub(super) matched: Vec<bool>,
    pub(super) labels: Arc<[Option<String>]>,
    pub(super) unknown: usize,
}

impl SignatureMatch {
    /// The index of the secret that matched, in the order given to the [`Verifier`](super::Verifier), from 0. The first
    /// one if several matched.
    #[must_use]
    pub fn index(&self) -> usize {
        self.index
    }

    /// The label of the secret that matched, if it has one.
    #[must_use]
    pub fn label(&self) -> Option<&str> {
        self.labels[self.index].as_deref()
    }

    /// The number of listed signatures that none of the verifier's secrets made.
    ///
    /// More than zero means that Cronofy also signs with a secret that this server does not have, such as a new one
    /// created in the dashboard. Add it here before the old one is revoked.
    #[must_use]
    pub fn unknown_signatures(&self) -> usize {
        self.unknown
    }

    /// The index and label of each secret that made none of the listed signatures.
    ///
    /// After a rotation, a secret that is unused in every delivery has been revoked and is safe to remove.
    pub fn unused_secrets(&self) -> impl Iterator<Item = (usize, Option<&str>)> {
        self.matched
            .iter()
            .zip(&*self.labels)
            .enumerate()
            .filter(|(_, (matched, _))| !**matched)
            .map(|(index, (_, label))| (index, label.as_deref()))
    }
}

impl fmt::Debug for SignatureMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignatureMatch")
            .field("index", &self.index)
            .field("label", &self.label())
            .field("unknown_signatures", &self.unknown)
            .field("unused_secrets", &self.unused_secrets().collect::<Vec<_>>())
            .finish()
    }
}
