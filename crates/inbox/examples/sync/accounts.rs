//! The accounts of the application. A real one has them in its database.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// An account that has authorised the application.
#[derive(Debug)]
pub(crate) struct Account {
    /// The application's own id, which is in the callback URLs of the account's channels.
    pub(crate) id: String,
    pub(crate) access_token: String,
    /// Held while its events are read: of two reads at the same time, the older could be written last.
    pub(crate) reading: tokio::sync::Mutex<()>,
}

/// Clones share the accounts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Accounts(Arc<Mutex<HashMap<String, Arc<Account>>>>);

impl Accounts {
    pub(crate) fn insert(&self, id: &str, access_token: &str) {
        let account = Account {
            id: id.to_owned(),
            access_token: access_token.to_owned(),
            reading: tokio::sync::Mutex::default(),
        };
        self.lock().insert(id.to_owned(), Arc::new(account));
    }

    pub(crate) fn get(&self, id: &str) -> Option<Arc<Account>> {
        self.lock().get(id).cloned()
    }

    pub(crate) fn all(&self) -> Vec<Arc<Account>> {
        self.lock().values().cloned().collect()
    }

    pub(crate) fn remove(&self, id: &str) {
        self.lock().remove(id);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Account>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
