//! Who is usable, and which of them has least to do.

use std::collections::BTreeMap;

use headworks_sdk::prelude::*;

/// Tells the ids of the usable in its explanation, and chooses the least busy.
#[place]
fn least_busy(request: &mut Request, candidates: &[Candidate], _: Duration) -> Placement {
    Usable::among(candidates, |usable| {
        let ids: Vec<u32> = usable.iter().map(|at| at.id).collect();
        request.explain(&format!("{ids:?}"));
        Placement::at(usable.least(|at| at.in_flight))
    })
}

fn endpoint(id: u32, health: Health, in_flight: u32) -> Candidate {
    Candidate {
        id,
        health,
        in_flight,
        ..Candidate::default()
    }
}

/// Where a request goes, and who was usable.
fn place(candidates: &[Candidate]) -> (Placement, Option<String>) {
    let mut host = testing::host::<LeastBusy>(json!({})).unwrap();
    let mut answer = host.chat("llama3").send();
    let placement = answer.place(candidates, Duration::ZERO);
    (placement, answer.explanation().map(str::to_owned))
}

#[test]
fn those_that_are_up_are_usable_and_else_those_that_are_degraded() {
    let [down, degraded] =
        [(1, Health::Down), (2, Health::Degraded)].map(|(id, health)| endpoint(id, health, 0));
    let up = [endpoint(3, Health::Up, 9), endpoint(4, Health::Up, 8)];
    let all = [down.clone(), degraded.clone(), up[0].clone(), up[1].clone()];
    let among = |ids: &str| Some(ids.to_owned());
    assert_eq!(place(&all), (Placement::At(4), among("[3, 4]")));
    assert_eq!(place(&[down, degraded]), (Placement::At(2), among("[2]")));
}

#[test]
fn nothing_is_chosen_where_nothing_answers() {
    for candidates in [&[][..], &[endpoint(1, Health::Down, 0)]] {
        let (placement, usable) = place(candidates);
        let Placement::Reject(rejection) = placement else {
            panic!("{placement:?}")
        };
        assert_eq!((rejection.status, &*rejection.code), (503, "no_endpoint"));
        assert_eq!(rejection.retry_after, Some(Duration::from_secs(1)));
        assert_eq!(usable, None);
    }
}

#[test]
fn an_endpoint_that_wants_a_probe_gets_the_request() {
    let probe = Candidate {
        marks: 1,
        ..endpoint(2, Health::Degraded, 0)
    };
    let idle = endpoint(1, Health::Up, 0);
    assert_eq!(place(&[idle, probe]), (Placement::At(2), None));
}

#[test]
fn chance_decides_among_equals() {
    let mut host = testing::host::<LeastBusy>(json!({})).unwrap();
    let candidates = [(1, 3), (2, 5), (3, 3)].map(|(id, load)| endpoint(id, Health::Up, load));
    let mut shares = BTreeMap::<u32, u32>::new();
    for _ in 0..400 {
        match host
            .chat("llama3")
            .send()
            .place(&candidates, Duration::ZERO)
        {
            Placement::At(id) => *shares.entry(id).or_default() += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(shares.keys().collect::<Vec<_>>(), [&1, &3]);
    assert!(shares.values().all(|share| *share > 150), "{shares:?}");
}
