//! Tenants and priorities.

use super::*;

fn of(share: f64) -> Request {
    Request { share, ..REQUEST }
}

fn with(priority: Priority) -> Request {
    Request {
        priority,
        ..REQUEST
    }
}

#[test]
fn the_tenant_with_more_than_its_share_pays_while_another_is_refused_its_own() {
    let (much, little) = (of(1.8), of(0.2));
    let mut law = strict();
    assert_eq!(place(&mut law, &much, &[takes(1, 1400)]), Some(1));
    for _ in 0..10 {
        assert_eq!(
            refusal(&mut law, &little, &[takes(1, 1600)]),
            Refusal::Overload
        );
    }
    assert_eq!(
        refusal(&mut law, &much, &[takes(1, 1400)]),
        Refusal::TenantShare
    );
    assert_eq!(place(&mut law, &little, &[takes(1, 1400)]), Some(1));
    // It is forgiven after a while.
    let later = law.decide(&much, &[takes(1, 1400)], 12 * SECOND, &mut || 0.5);
    assert!(matches!(later, Decision::At { .. }), "{later:?}");
}

#[test]
fn nobody_pays_for_the_refusals_of_those_who_had_their_share() {
    let mut law = strict();
    for _ in 0..10 {
        refusal(&mut law, &of(1.0), &[takes(1, 1600)]);
    }
    assert_eq!(place(&mut law, &of(2.0), &[takes(1, 1490)]), Some(1));
}

#[test]
fn a_lower_priority_makes_room_while_a_higher_one_is_refused() {
    let (late, nearly) = ([takes(1, 1600)], [takes(1, 1490)]);
    let mut law = strict();
    let decision = decide(&mut law, &with(Priority::Normal), &late);
    assert!(matches!(decision, Decision::Refuse { .. }), "{decision:?}");
    assert_eq!(
        refusal(&mut law, &with(Priority::Low), &nearly),
        Refusal::Overload
    );
    for priority in [Priority::Normal, Priority::High] {
        assert_eq!(place(&mut law, &with(priority), &nearly), Some(1));
    }
    refusal(&mut law, &with(Priority::High), &late);
    assert_eq!(
        refusal(&mut law, &with(Priority::Normal), &nearly),
        Refusal::Overload
    );
    let later = law.decide(&with(Priority::Low), &nearly, 9 * SECOND, &mut || 0.5);
    assert!(matches!(later, Decision::At { .. }), "{later:?}");
}

#[test]
fn refusals_of_the_lowest_priority_press_nobody() {
    let mut law = strict();
    for _ in 0..20 {
        refusal(&mut law, &with(Priority::Low), &[takes(1, 1600)]);
    }
    for priority in [Priority::Low, Priority::Normal, Priority::High] {
        assert_eq!(place(&mut law, &with(priority), &[takes(1, 1490)]), Some(1));
    }
}

#[test]
fn however_long_a_lower_one_may_take_it_leaves_the_load_that_a_higher_one_bears() {
    let batch = Request {
        objective: Some(30 * SECOND),
        ..with(Priority::Low)
    };
    let at = |ms| Candidate {
        unloaded_us: 4_000_000,
        ..takes(1, ms)
    };
    let mut law = strict();
    assert_eq!(place(&mut law, &batch, &[at(9000)]), Some(1));
    refusal(&mut law, &REQUEST, &[takes(1, 1600)]);
    // Half as long again as on an idle endpoint, less a part for the refusal.
    assert_eq!(place(&mut law, &batch, &[at(5700)]), Some(1));
    let waits = decide(&mut law, &batch, &[at(5900)]);
    assert!(matches!(waits, Decision::Hold { .. }), "{waits:?}");
}

#[test]
fn a_request_that_could_not_be_in_time_anywhere_presses_nobody() {
    let mut law = strict();
    law.learned.last_refusal = Some(0.9);
    let hopeless = Candidate {
        unloaded_us: 2_000_000,
        ..takes(1, 2000)
    };
    let asked = Request {
        share: 0.1,
        ..with(Priority::High)
    };
    refusal(&mut law, &asked, &[hopeless]);
    let much = Request {
        share: 2.0,
        ..with(Priority::Low)
    };
    assert_eq!(place(&mut law, &much, &[takes(1, 1490)]), Some(1));
}
