use proptest::prelude::*;

use super::*;

/// Something that happens to an endpoint; the request is one of those so far.
#[derive(Debug, Clone)]
enum Event {
    Begins(Need, Option<u64>),
    Progressed(usize, u32),
    Ended(usize),
    Told(usize, u64, Option<u64>),
    Capacity(u32),
    EngineLoad(u32),
}

prop_compose! {
    fn any_need()(
        lengths in any::<(u32, u32, u32, u32, u32)>(),
        streams: bool,
        small: bool,
    ) -> Need {
        let limit = |length: u32| if small { length % 1000 } else { length };
        Need {
            prompt: limit(lengths.0),
            cached: limit(lengths.1),
            mean: limit(lengths.2),
            usual: limit(lengths.3),
            cap: limit(lengths.4),
            streams,
        }
    }
}

fn any_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        (any_need(), proptest::option::of(0..10_000_u64))
            .prop_map(|(need, deadline)| Event::Begins(need, deadline)),
        (any::<usize>(), 0..300_u32).prop_map(|(which, seen)| Event::Progressed(which, seen)),
        any::<usize>().prop_map(Event::Ended),
        (any::<usize>(), any::<u64>(), any::<Option<u64>>())
            .prop_map(|(which, each, first)| Event::Told(which, each, first)),
        any::<u32>().prop_map(Event::Capacity),
        any::<u32>().prop_map(Event::EngineLoad),
    ]
}

/// Lets it happen. `running` are the tickets of what should be in flight.
fn happen(bench: &mut Bench, all: &mut Vec<Ticket>, over: &mut Vec<bool>, event: &Event) {
    let pick = |which: &usize| (!all.is_empty()).then(|| which % all.len());
    let now = bench.now;
    match event {
        Event::Begins(need, deadline) => {
            let deadline = deadline.map(|ms| now + Duration::from_millis(ms));
            all.push(bench.at.begins(*need, deadline, now));
            over.push(false);
        }
        Event::Progressed(which, seen) => {
            if let Some(index) = pick(which) {
                bench.at.progressed(all[index], *seen, now);
            }
        }
        Event::Ended(which) => {
            if let Some(index) = pick(which) {
                bench.at.ended(all[index], now);
                over[index] = true;
            }
        }
        Event::Told(which, each, first) => {
            if let Some(index) = pick(which) {
                let first = first.map(Duration::from_nanos);
                let each = Duration::from_nanos(*each);
                bench.at.told(all[index], each, first, now);
            }
        }
        Event::Capacity(tokens) => bench.at.set_capacity(*tokens),
        Event::EngineLoad(requests) => bench.at.set_engine_load(*requests),
    }
}

proptest! {
    #[test]
    fn whatever_happens_nothing_leaks_and_predictions_are_sane(
        events in proptest::collection::vec((any_event(), 0..5_000_u64), 0..60),
        asked in any_need(),
    ) {
        let (mut bench, mut all, mut over) = (Bench::new(), Vec::new(), Vec::new());
        for (event, ms) in events {
            bench.now += Duration::from_millis(ms);
            happen(&mut bench, &mut all, &mut over, &event);
            let running = over.iter().filter(|over| !**over).count();
            prop_assert_eq!(bench.at.in_flight(), running);
            let prediction = bench.at.predict(&asked, bench.now);
            let most = Duration::from_secs(3600);
            prop_assert!(prediction.ttft <= prediction.whole);
            prop_assert!(prediction.whole <= most && prediction.inflicted <= most);
        }
    }

    #[test]
    fn more_load_never_makes_it_faster(
        prompts in proptest::collection::vec(1..4000_u32, 1..40),
        asked in 1..4000_u32,
    ) {
        let mut bench = Bench::experienced();
        let mut before = bench.predict(asked);
        for prompt in prompts {
            bench.begins(prompt);
            let after = bench.predict(asked);
            prop_assert!(after.ttft > before.ttft && after.whole > before.whole);
            prop_assert!(after.whole_usual > before.whole_usual);
            prop_assert!(after.inflicted > before.inflicted);
            before = after;
        }
    }
}
