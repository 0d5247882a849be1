//! No number is lost and none is counted twice.

use super::*;
use crate::day::Day;

#[test]
fn what_was_used_is_known_after_a_restart() {
    let (_folder, path) = place();
    let ledger = Ledger::open(&path).unwrap();
    ledger.record(entry("acme/ci"));
    ledger.record(entry("acme/ci"));
    ledger.record(entry("-/-"));
    drop(ledger);
    let ledger = Ledger::open(&path).unwrap();
    ledger.record(entry("acme/ci"));
    for period in [Period::Day, Period::Month] {
        assert_eq!(used(&ledger, Quantity::Requests, period), 4);
        assert_eq!(used(&ledger, Quantity::Tokens, period), 40);
        let quantity = Quantity::Tokens;
        let acme = |key: &RowKey| &*key.tenant == "acme";
        assert_eq!(ledger.used(Scope { quantity, period }, acme), 30);
    }
    ledger.flush().unwrap();
    let rows: Vec<_> = read(&path)
        .into_iter()
        .map(|row| (row.key.tenant.to_string(), row.sums))
        .collect();
    assert_eq!(rows, [("-".into(), sums(1)), ("acme".into(), sums(3))]);
}

#[test]
fn what_is_recorded_gets_into_the_file_by_itself() {
    let (_folder, path) = place();
    let ledger = Ledger::open(&path).unwrap();
    ledger.record(entry("acme/ci"));
    wait_until("a row", || total(&read(&path)) == sums(1));
}

#[test]
fn eight_threads_add_up_exactly_while_others_read() {
    let (_folder, path) = place();
    let ledger = Ledger::open(&path).unwrap();
    thread::scope(|scope| {
        for thread in 0..8 {
            let ledger = &ledger;
            scope.spawn(move || {
                let mine = format!("tenant-{}/key-{thread}", thread % 3);
                (0..10_000).for_each(|_| ledger.record(entry(&mine)));
            });
        }
        let mut before = 0;
        while before < 80_000 {
            let now = total(&read(&path));
            assert!(now.requests >= before && now == sums(now.requests));
            before = now.requests;
        }
    });
    assert_eq!(used(&ledger, Quantity::Requests, Period::Day), 80_000);
    assert_eq!(used(&ledger, Quantity::Tokens, Period::Month), 800_000);
    drop(ledger);
    assert_eq!(read(&path).len(), 8);
    assert_eq!(total(&read(&path)), sums(80_000));
}

#[test]
fn gateways_share_a_file_and_learn_of_each_other() {
    let (_folder, path) = place();
    let ledgers = [(); 4].map(|()| {
        let path = path.clone();
        thread::spawn(move || Ledger::open(&path).unwrap())
    });
    let ledgers = ledgers.map(|opened| opened.join().unwrap());
    thread::scope(|scope| {
        for ledger in &ledgers {
            scope.spawn(|| {
                for _ in 0..50 {
                    ledger.record(entry("acme/ci"));
                    ledger.flush().unwrap();
                }
            });
        }
    });
    assert_eq!(total(&read(&path)), sums(200));
    for ledger in &ledgers {
        wait_until("the sum of all", || {
            used(ledger, Quantity::Requests, Period::Day) == 200
        });
    }
}

#[test]
fn a_full_disk_loses_nothing() {
    let (_folder, path) = place();
    let ledger = Ledger::open(&path).unwrap();
    let set_pages = |pages: i64| {
        let store = ledger.keeper.store.lock();
        let query = format!("PRAGMA max_page_count = {pages}");
        schema::number(&store.connection, &query).unwrap();
    };
    set_pages(1);
    let long = "k".repeat(10_000);
    ledger.record(entry(&format!("acme/{long}")));
    let error = ledger.flush().unwrap_err();
    assert!(matches!(error, LedgerError::Full { .. }), "{error}");
    assert_eq!(
        error.to_string(),
        format!(
            "ledger `{}` cannot grow: database or disk is full; make room on its disk",
            path.display()
        )
    );
    let failures = ledger.failures();
    assert!(failures >= 1);
    wait_until("another try", || ledger.failures() > failures);
    ledger.record(entry("acme/ci"));
    assert_eq!(used(&ledger, Quantity::Requests, Period::Day), 2);
    assert!(read(&path).is_empty());
    set_pages(1_000);
    wait_until("both rows", || total(&read(&path)) == sums(2));
    assert_eq!(used(&ledger, Quantity::Requests, Period::Day), 2);
}

#[test]
fn a_program_that_locks_the_file_holds_up_only_who_flushes() {
    let (_folder, path) = place();
    let ledger = Ledger::open(&path).unwrap();
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    thread::scope(|scope| {
        ledger.record(entry("acme/ci"));
        let flush = scope.spawn(|| ledger.flush());
        // Long enough for the writer to try, and to wait for the other program.
        thread::sleep(Duration::from_millis(500));
        ledger.record(entry("acme/ci"));
        assert_eq!(used(&ledger, Quantity::Requests, Period::Day), 2);
        assert!(read(&path).is_empty());
        other.execute_batch("COMMIT").unwrap();
        flush.join().unwrap().unwrap();
    });
    ledger.flush().unwrap();
    assert_eq!((total(&read(&path)), ledger.failures()), (sums(2), 0));
}

#[test]
fn sums_stop_at_the_largest_number_and_the_rest_is_still_written() {
    let (_folder, path) = place();
    let ledger = Ledger::open(&path).unwrap();
    for _ in 0..3 {
        let most = Entry {
            input_tokens: u64::MAX,
            ..entry("acme/ci")
        };
        ledger.record(most);
        ledger.record(entry("other/ci"));
        ledger.flush().unwrap();
    }
    assert_eq!(used(&ledger, Quantity::Tokens, Period::Day), u64::MAX);
    let rows = read(&path);
    assert_eq!(rows[0].sums.input_tokens, i64::MAX.cast_unsigned());
    assert_eq!(rows[0].sums.output_tokens, 21);
    assert_eq!(rows[1].sums, sums(3));
}

#[test]
fn the_filter_leaves_only_what_is_asked_for() {
    let (_folder, path) = place();
    let ledger = Ledger::open(&path).unwrap();
    for names in ["acme/ci", "acme/web", "other/ci", "o'neil/\";--"] {
        ledger.record(entry(names));
    }
    ledger.flush().unwrap();
    let count = |filter| Usage::read(&path, &filter).unwrap().len();
    let of = |tenant: &str| Filter {
        tenant: Some(tenant.to_owned()),
        ..Filter::default()
    };
    assert_eq!(count(Filter::default()), 4);
    assert_eq!(count(of("acme")), 2);
    assert_eq!(count(of("o'neil")), 1);
    assert_eq!(count(of("ACME")), 0);
    let key = Some("ci".to_owned());
    assert_eq!(count(Filter { key, ..of("acme") }), 1);
    let model = Some("llama".to_owned());
    assert_eq!(
        count(Filter {
            model,
            ..of("acme")
        }),
        0
    );
    let today = Day::of(SystemTime::now());
    let from_to = |from, to| Filter {
        from: Some(from),
        to: Some(to),
        ..Filter::default()
    };
    assert_eq!(count(from_to(today.first_of_month(), Day::LAST)), 4);
    assert_eq!(count(from_to(Day::FIRST, "2020-01-01".parse().unwrap())), 0);
}
