//! A change that is stopped leaves nothing behind, wherever it is stopped.

use gatehouse_api::{ChangeState, Code};

use super::house::House;
use crate::transaction::Intent;

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_is_stopped_at_any_step_leaves_everything_as_it_was() {
    let mut stopped = Vec::new();
    for place in 0.. {
        let (house, impatient) = House::stopping_at(place);
        let before = house.config();
        let outcome = house.transactions().run(house.open(&[])).await;
        let Some(at) = impatient.asked_at() else { break };

        match outcome {
            Err(error) => {
                assert_eq!(error.code, Code::Cancelled, "{at}: {error:?}");
                assert_eq!(house.config(), before, "{at}");
                assert!(!house.settings_open() && house.listening().is_empty(), "{at}");
                assert!(house.transactions().last_change().is_none(), "{at}");
                let history = house.transactions().history(9);
                assert!(
                    history.iter().all(|entry| entry.state == ChangeState::RolledBack),
                    "{at}: {history:?}"
                );
                stopped.push(at);
                // And it can be made afterwards as if nothing had been.
                house.transactions().run(house.open(&[])).await.unwrap();
                house.transactions().undo(None, false).await.unwrap();
                assert_eq!(house.config(), before);
            }
            // The last step was on its way.
            Ok(_) => assert!(at.starts_with("commit:") || at.starts_with("end:"), "{at}"),
        }
    }
    for step in ["certificate", "listen", "configure", "verify"] {
        assert!(stopped.iter().any(|at| at.starts_with(step)), "{step} in {stopped:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_close_that_is_stopped_leaves_the_address_open() {
    let (house, places) = House::stopping_at(usize::MAX - 1);
    house.transactions().run(house.open(&[])).await.unwrap();
    let mut stopped = 0;
    for place in places.passed().. {
        let (house, impatient) = House::stopping_at(place);
        house.transactions().run(house.open(&[])).await.unwrap();
        let (config, listening) = (house.config(), house.listening());
        let closed = house.transactions().run(Intent::Close { purge: false }).await;
        let Some(at) = impatient.asked_at() else { break };

        let Err(error) = closed else { continue };
        assert_eq!(error.code, Code::Cancelled, "{at}: {error:?}");
        assert_eq!((house.config(), house.listening()), (config, listening), "{at}");
        assert!(house.settings_open(), "{at}");
        stopped += 1;
    }
    assert!(stopped > 0, "no place of a close was stopped");
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_nothing_to_stop_where_nothing_runs() {
    let house = House::new();
    assert!(!house.transactions().cancel());

    house.transactions().run(house.open(&[])).await.unwrap();
    assert!(!house.transactions().cancel());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_ends_in_a_defect_is_taken_back_at_once_and_keeps_nobody_from_the_next() {
    for place in ["listen:after-apply", "configure:after-journal", "configure:after-apply"] {
        let house = House::breaking_at(place);
        let before = house.config();
        let error = house.transactions().run(house.open(&[])).await.unwrap_err();
        assert_eq!(error.code, Code::Failed, "{place}: {error:?}");
        assert!(error.because.contains(place), "{error:?}");
        assert_eq!(house.config(), before, "{place}");
        assert!(!house.settings_open() && house.listening().is_empty(), "{place}");
        assert_eq!(house.transactions().history(9)[0].state, ChangeState::RolledBack, "{place}");
        assert!(!house.transactions().cancel(), "{place}");

        house.transactions().run(house.open(&[])).await.unwrap();
        assert!(house.settings_open(), "{place}");
    }
}
