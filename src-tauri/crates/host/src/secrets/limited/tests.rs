use super::*;

const LONG: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(30);

#[test]
fn an_answer_in_time_is_given() {
    assert_eq!(Lane::default().run(LONG, || 7), Some(7));
}

#[test]
fn a_call_that_hangs_gives_nothing_and_the_next_one_does_not_start_beside_it() {
    let lane = Lane::default();
    let (finish, hangs) = mpsc::channel::<()>();
    assert_eq!(lane.run(SHORT, move || hangs.recv()), None);
    let second = Arc::new(Mutex::new(false));
    let started = second.clone();
    assert_eq!(lane.run(SHORT, move || *started.lock().unwrap() = true), None);
    assert!(!*second.lock().unwrap());
    finish.send(()).unwrap();
    assert_eq!(lane.run(LONG, || 8), Some(8));
}

#[test]
fn a_call_that_panics_gives_nothing_and_frees_the_lane() {
    let lane = Lane::default();
    assert_eq!(lane.run(LONG, || -> u8 { panic!("on purpose") }), None);
    assert_eq!(lane.run(LONG, || 9), Some(9));
}
