use proptest::prelude::*;

use super::Database;
use crate::store::model::{Model, Operation, entry, operations};
use crate::store::sqlite::statements;
use crate::store::{Take, Token};

/// The store and the model, and the runs so far.
struct Comparison {
    database: Database,
    model: Model,
    runs: Vec<Token>,
    numbers: usize,
}

impl Comparison {
    fn apply(&mut self, operation: &Operation) {
        let Self {
            database,
            model,
            runs,
            numbers,
        } = self;
        let now = database.now;
        let run = |run: usize| runs.iter().rev().nth(run).copied();
        match *operation {
            Operation::Put { account, change } => {
                *numbers += 1;
                let entry = entry(account, change, *numbers);
                database.put(&entry);
                model.put(&entry, now);
            }
            Operation::Take {
                lease,
                max_attempts,
            } => {
                let take = statements::take(&database.connection, lease, max_attempts, now);
                let take = take.unwrap();
                assert_eq!(take, model.take(lease, max_attempts, now));
                if let Take::Taken(token, _) = take {
                    runs.push(token);
                }
            }
            Operation::Renew { run: number, lease } => {
                if let Some(token) = run(number) {
                    let renewed = statements::renew(&database.connection, token, lease, now);
                    assert_eq!(renewed.unwrap(), model.renew(token, lease, now));
                }
            }
            Operation::End { run: number, end } => {
                if let Some(token) = run(number) {
                    assert_eq!(database.end(token, end), model.end(token, end, now));
                }
            }
            Operation::UnparkAll => {
                database.unpark_all();
                model.unpark_all(now);
            }
            Operation::Forget { account } => {
                let account = entry(account, None, 0).account;
                let forgotten = statements::forget(&database.connection, &account).unwrap();
                assert_eq!(forgotten, model.forget(&account));
            }
            Operation::Wait { micros } => database.now += micros,
            Operation::Crash { clock } => {
                database.now += clock;
                statements::recover(&database.connection, database.now).unwrap();
                model.recover(database.now);
            }
        }
        assert_eq!(database.rows(), model.rows(), "after {operation:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn does_what_the_model_does(operations in operations()) {
        let mut comparison = Comparison {
            database: Database::new(),
            model: Model::default(),
            runs: Vec::new(),
            numbers: 0,
        };
        for operation in &operations {
            comparison.apply(operation);
        }
    }
}
