use std::cell::RefCell;

use proptest::prelude::*;
use proptest::test_runner::{TestError, TestRunner};

use crate::database::Database;
use crate::model::{Model, Operation, entry, operations};
use crate::store::{Take, Token};

/// The store and the model, and the runs so far.
struct Comparison<'a, D> {
    database: &'a mut D,
    model: Model,
    runs: Vec<Token>,
    numbers: usize,
}

impl<D: Database> Comparison<'_, D> {
    fn apply(&mut self, operation: &Operation) {
        let Self {
            database,
            model,
            runs,
            numbers,
        } = self;
        let now = database.now();
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
                let take = database.take_with(lease, max_attempts);
                let taken = match &take {
                    Take::Taken(_, job) | Take::Parked(job) => Some(&job.body),
                    Take::Nothing => None,
                };
                assert_eq!(take, model.take(lease, max_attempts, now, taken));
                if let Take::Taken(token, _) = take {
                    runs.push(token);
                }
            }
            Operation::Renew { run: number, lease } => {
                if let Some(token) = run(number) {
                    let renewed = database.renew_with(token, lease);
                    assert_eq!(renewed, model.renew(token, lease, now));
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
                assert_eq!(database.forget(&account), model.forget(&account));
            }
            Operation::Wait { micros } => database.advance(micros),
            Operation::Crash { clock } => {
                database.advance(clock);
                database.crash();
                model.crash(D::IS_FOR_ONE_PROCESS, database.now());
            }
        }
        assert_eq!(database.rows(), model.rows(), "after {operation:?}");
    }
}

pub(crate) fn does_what_the_model_does<D: Database>() {
    let database = RefCell::new(D::new());
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(D::CASES)
    };
    let result = TestRunner::new(config).run(&operations(), |operations| {
        let mut database = database.borrow_mut();
        database.reset();
        let mut comparison = Comparison {
            database: &mut *database,
            model: Model::default(),
            runs: Vec::new(),
            numbers: 0,
        };
        for operation in &operations {
            comparison.apply(operation);
        }
        Ok(())
    });
    if let Err(TestError::Fail(reason, operations)) = result {
        panic!("{reason}: {operations:#?}");
    }
    result.unwrap();
}
