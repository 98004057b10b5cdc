//! Waiting without compiled code: what is woken, in which order, and that nothing is lost.

use std::sync::atomic::AtomicU32;
use std::thread;
use std::vec::Vec;

use super::*;

/// What an instance would have: a flag. And the list of a memory.
struct Place {
    list: Lock<Waiters>,
    flag: AtomicUsize,
}

impl Place {
    fn new() -> Place {
        Place {
            list: Lock::new(Waiters::new()),
            flag: AtomicUsize::new(0),
        }
    }

    fn wait(&self, address: u64, is_expected: impl FnOnce() -> bool, nanoseconds: i64) -> Woken {
        let deadline = u64::try_from(nanoseconds).ok().map(Deadline::after);
        let flag = NonNull::from(&self.flag);
        // SAFETY: the flag outlives the wait.
        unsafe { wait(&self.list, address, flag, is_expected, deadline) }
    }

    fn notify(&self, address: u64, count: u32) -> u32 {
        self.list.lock().notify(address, count)
    }

    /// How many wait.
    fn count(&self) -> usize {
        let waiters = self.list.lock();
        let (mut count, mut next) = (0, waiters.first);
        while !next.is_null() {
            count += 1;
            // SAFETY: who is in the list is there.
            next = unsafe { (*next).next };
        }
        count
    }

    fn until_there_are(&self, count: usize) {
        while self.count() < count {
            thread::yield_now();
        }
    }
}

fn join<'a>(threads: impl IntoIterator<Item = thread::ScopedJoinHandle<'a, ()>>) {
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn values_and_flags_are_looked_at_before() {
    let place = Place::new();
    assert_eq!(place.wait(0, || false, -1), Woken::NotEqual);
    assert_eq!(place.wait(0, || true, 0), Woken::TimedOut);
    assert_eq!(place.wait(0, || true, 1_000_000), Woken::TimedOut);
    place.flag.store(1, Ordering::SeqCst);
    assert_eq!(place.wait(0, || true, -1), Woken::Interrupted);
    assert_eq!(place.count(), 0);
    assert_eq!(place.notify(0, u32::MAX), 0);
}

#[test]
fn who_waits_longest_is_woken_first() {
    let place = Place::new();
    let order = Lock::new(Vec::new());
    thread::scope(|scope| {
        let mut threads = Vec::new();
        for number in 0..4 {
            let (place, order) = (&place, &order);
            threads.push(scope.spawn(move || {
                assert_eq!(place.wait(8, || true, -1), Woken::Notified);
                order.lock().push(number);
            }));
            place.until_there_are(number + 1);
        }
        assert_eq!(place.notify(9, u32::MAX), 0);
        for woken in 1..=4 {
            assert_eq!(place.notify(8, 1), 1);
            while order.lock().len() < woken {
                thread::yield_now();
            }
        }
        join(threads);
    });
    assert_eq!(*order.lock(), [0, 1, 2, 3]);
}

#[test]
fn only_the_instance_that_is_interrupted_ends_its_wait() {
    let place = Place::new();
    let other = AtomicUsize::new(0);
    thread::scope(|scope| {
        let ours = scope.spawn(|| place.wait(8, || true, -1));
        let theirs = scope.spawn(|| {
            let flag = NonNull::from(&other);
            // SAFETY: the flag outlives the wait.
            unsafe { wait(&place.list, 8, flag, || true, None) }
        });
        place.until_there_are(2);
        place.flag.store(1, Ordering::SeqCst);
        place.list.lock().interrupt(NonNull::from(&place.flag));
        assert_eq!(ours.join().unwrap(), Woken::Interrupted);
        assert_eq!(place.notify(8, u32::MAX), 1);
        assert_eq!(theirs.join().unwrap(), Woken::Notified);
    });
}

#[test]
fn no_notification_is_lost() {
    const TURNS: u32 = 2000;
    let place = Place::new();
    let value = AtomicU32::new(0);
    // Two threads hand the turn to each other: each waits while it is not its own.
    thread::scope(|scope| {
        let threads = [0, 1].map(|mine| {
            let (place, value) = (&place, &value);
            scope.spawn(move || {
                for _ in 0..TURNS {
                    loop {
                        let seen = value.load(Ordering::SeqCst);
                        if seen % 2 == mine {
                            break;
                        }
                        let same = || value.load(Ordering::SeqCst) == seen;
                        assert_ne!(place.wait(0, same, -1), Woken::TimedOut);
                    }
                    value.fetch_add(1, Ordering::SeqCst);
                    place.notify(0, u32::MAX);
                }
            })
        });
        join(threads);
    });
    assert_eq!(value.load(Ordering::SeqCst), 2 * TURNS);
    assert_eq!(place.count(), 0);
}

#[test]
fn timeouts_and_notifications_race() {
    let place = Place::new();
    let ended = AtomicU32::new(0);
    let notified = AtomicU32::new(0);
    let counted = thread::scope(|scope| {
        let threads = [(); 3].map(|()| {
            scope.spawn(|| {
                for turn in 0..500 {
                    match place.wait(16, || true, turn % 50 * 1000) {
                        Woken::Notified => drop(notified.fetch_add(1, Ordering::Relaxed)),
                        woken => assert_eq!(woken, Woken::TimedOut),
                    }
                }
                ended.fetch_add(1, Ordering::SeqCst);
            })
        });
        let mut counted = 0;
        while ended.load(Ordering::SeqCst) < 3 {
            counted += place.notify(16, 2);
            thread::yield_now();
        }
        join(threads);
        counted
    });
    assert_eq!(notified.load(Ordering::Relaxed), counted);
    assert_eq!(place.count(), 0);
}
