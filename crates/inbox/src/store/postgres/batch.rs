use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Place;

use bytes::Bytes;

use crate::entry::Entry;

/// Puts that one statement writes: a row for each id, in order of the id.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    rows: BTreeMap<Vec<u8>, Row>,
}

#[derive(Debug)]
struct Row {
    account: String,
    channel: Option<String>,
    body: Bytes,
    since: Option<i64>,
    count: i64,
}

/// What a statement takes, with an element for each row.
#[derive(Debug, Default)]
pub(crate) struct Columns<'a> {
    pub(crate) ids: Vec<&'a [u8]>,
    pub(crate) accounts: Vec<&'a [u8]>,
    pub(crate) channels: Vec<Option<&'a [u8]>>,
    pub(crate) bodies: Vec<&'a [u8]>,
    pub(crate) sinces: Vec<Option<i64>>,
    pub(crate) counts: Vec<i64>,
}

impl Batch {
    /// Merges the entry into the row with its id, as the statement does; returns the id.
    ///
    /// # Errors
    ///
    /// When the system has no random bytes for the id of what never merges.
    pub(crate) fn add(&mut self, entry: Entry) -> Result<Vec<u8>, getrandom::Error> {
        let id = match &entry.key {
            Some(key) => key.id.to_vec(),
            None => {
                let mut id = vec![0; 16];
                getrandom::fill(&mut id)?;
                id
            }
        };
        let since = entry.key.map(|key| key.since);
        match self.rows.entry(id.clone()) {
            Place::Vacant(place) => {
                place.insert(Row {
                    account: entry.account,
                    channel: entry.channel,
                    body: entry.body,
                    since,
                    count: 1,
                });
            }
            Place::Occupied(mut place) => {
                let row = place.get_mut();
                row.count += 1;
                // The older of two with one time is kept.
                if since < row.since {
                    row.body = entry.body;
                    row.since = since;
                }
            }
        }
        Ok(id)
    }

    /// The number of rows.
    pub(crate) fn len(&self) -> i64 {
        i64::try_from(self.rows.len()).unwrap_or(i64::MAX)
    }

    pub(crate) fn columns(&self) -> Columns<'_> {
        let mut columns = Columns::default();
        for (id, row) in &self.rows {
            columns.ids.push(id);
            columns.accounts.push(row.account.as_bytes());
            columns
                .channels
                .push(row.channel.as_ref().map(String::as_bytes));
            columns.bodies.push(&row.body);
            columns.sinces.push(row.since);
            columns.counts.push(row.count);
        }
        columns
    }
}
