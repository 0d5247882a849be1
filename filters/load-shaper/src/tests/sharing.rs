//! Tenants and priorities.

use super::*;

/// A tenant's request, which has had so much of its share.
fn of(host: &mut Host, share: f64) -> Answer {
    host.chat("llama3").routed(POOL).tenant_share(share).send()
}

#[test]
fn who_had_more_than_its_share_is_refused_while_others_are_refused_theirs() {
    let mut host = host(json!({"p99": "1.5s"}));
    use_up_the_favour(&mut host);
    assert_eq!(
        place(&mut of(&mut host, 3.0), &[takes(1, 1400)]),
        Placement::At(1)
    );
    for _ in 0..5 {
        let rejection = refusal(&mut of(&mut host, 0.2), &[takes(1, 1600)]);
        assert_eq!(rejection.code, "overloaded");
    }
    let mut greedy = of(&mut host, 3.0);
    let rejection = refusal(&mut greedy, &[takes(1, 1400)]);
    assert_eq!((rejection.status, &*rejection.code), (429, "tenant_share"));
    assert!(rejection.retry_after >= Some(Duration::from_secs(1)));
    assert_eq!(
        greedy.explanation(),
        Some("the tenant has had more than its share")
    );
    assert_eq!(
        place(&mut of(&mut host, 0.2), &[takes(1, 1400)]),
        Placement::At(1)
    );
    assert_eq!(decisions(&host, "tenant_share"), 1);
    // It is forgiven after a while, by every instance.
    host.advance(Duration::from_secs(12));
    host.reload(json!({"p99": "1.5s"})).unwrap();
    assert_eq!(
        place(&mut of(&mut host, 3.0), &[takes(1, 1400)]),
        Placement::At(1)
    );
}

fn by_class() -> Value {
    json!({
        "p99": "1.5s",
        "classes": {
            "gold": {"priority": "high"},
            "batch": {"p99": "30s", "priority": "low"},
        },
    })
}

/// A request of a class.
fn with(host: &mut Host, class: &str) -> Answer {
    host.chat("llama3").routed(POOL).class(class).send()
}

#[test]
fn a_batch_makes_room_while_others_are_refused() {
    let mut host = host(by_class());
    use_up_the_favour(&mut host);
    // Ten times as long as on an idle endpoint: the batch has time for that.
    let busy = [takes(1, 10_000)];
    assert_eq!(
        place(&mut with(&mut host, "batch"), &busy),
        Placement::At(1)
    );
    let rejection = refusal(&mut with(&mut host, "gold"), &busy);
    assert_eq!(rejection.code, "overloaded");
    assert_eq!(place(&mut with(&mut host, "batch"), &busy), Placement::Wait);
    let mut aged = host.chat("llama3").routed(POOL).class("batch");
    aged = aged.age(Duration::from_secs(6));
    let mut aged = aged.send();
    let rejection = refusal(&mut aged, &busy);
    assert_eq!(rejection.code, "overloaded");
    assert_eq!(
        aged.explanation(),
        Some("there is room only for those of higher priority")
    );
    host.advance(Duration::from_secs(10));
    assert_eq!(
        place(&mut with(&mut host, "batch"), &busy),
        Placement::At(1)
    );
}

#[test]
fn those_of_lower_priority_stand_behind() {
    let settings = json!({
        "p99": "3s",
        "classes": {"gold": {"priority": "high"}, "batch": {"priority": "low"}},
    });
    let mut host = host(settings);
    let mut behind = |class| {
        let mut answer = with(&mut host, class);
        assert_eq!(place(&mut answer, &[takes(1, 9000)]), Placement::Wait);
        answer.hold().unwrap().behind
    };
    let (gold, normal, batch) = (behind("gold"), behind("standard"), behind("batch"));
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    assert_eq!((normal - gold, batch - gold), (minutes(10), minutes(20)));
}
