//! What holds for whatever the law is shown.

use proptest::prelude::*;

use super::*;

prop_compose! {
    fn any_candidate()(
        id: u32,
        health in prop_oneof![Just(Health::Up), Just(Health::Suspect), Just(Health::Down)],
        flags: (bool, bool, bool, bool),
        times in any::<(u32, u32, u32, u32, u32)>(),
        in_flight in 0..20_u32,
        weight in 0..30_u32,
    ) -> Candidate {
        Candidate {
            id,
            health,
            wants_probe: flags.0,
            is_idle_without_news: flags.1,
            makes_late: flags.2,
            is_full: flags.3,
            in_flight,
            whole_us: times.0,
            whole_usual_us: times.1,
            unloaded_us: times.2,
            own_prefill_us: times.3,
            inflicted_us: times.4,
            weight,
        }
    }
}

prop_compose! {
    fn any_request()(
        objective in proptest::option::of(any::<u32>()),
        priority in prop_oneof![Just(Priority::Low), Just(Priority::Normal), Just(Priority::High)],
        sizes in any::<(u32, u32)>(),
        share in 0.0..50.0_f64,
        again: bool,
    ) -> Request {
        Request {
            objective: objective.map(|us| Duration::from_micros(us.into())),
            priority,
            prompt: sizes.0,
            waited: Duration::from_micros(sizes.1.into()),
            share,
            again,
        }
    }
}

proptest! {
    #[test]
    fn whatever_it_is_shown_it_decides_sanely(
        candidates in proptest::collection::vec(any_candidate(), 0..8),
        request in any_request(),
        size_neutral: bool,
        lot in 0.0..1.0,
        saved in proptest::collection::vec(any::<u8>(), state::BYTES..=state::BYTES),
        in_time: bool,
    ) {
        let mut law = Law::new(Options { size_neutral, ..Options::default() });
        let mut learned = saved;
        learned[0] = 1;
        law.restore(&learned);
        law.answered(in_time);
        prop_assert!((0.8..=1.08).contains(&law.margin()));
        match law.decide(&request, &candidates, SECOND, &mut || lot) {
            Decision::At { id, .. } => prop_assert!(
                candidates.iter().any(|at| at.id == id && at.health != Health::Down)
            ),
            Decision::Hold { .. } => prop_assert!(
                request.objective.is_some() || candidates.iter().any(|at| at.is_full)
            ),
            Decision::Refuse { retry_after, .. } => {
                prop_assert!((SECOND..=90 * SECOND).contains(&retry_after));
            }
        }
    }

    #[test]
    fn what_is_learned_is_the_same_after_a_way_through_the_store(
        requests in proptest::collection::vec(any_request(), 0..40),
        candidates in proptest::collection::vec(any_candidate(), 0..4),
        size_neutral: bool,
    ) {
        let mut law = Law::new(Options { size_neutral, ..Options::default() });
        for (second, request) in (0..).zip(&requests) {
            law.decide(request, &candidates, second * SECOND, &mut || 0.5);
            law.answered(second % 3 > 0);
        }
        let mut other = Law::new(law.options);
        prop_assert!(other.restore(&law.save()));
        prop_assert_eq!(other, law);
    }

    #[test]
    fn who_had_no_more_than_its_share_never_pays_for_it(
        candidates in proptest::collection::vec(any_candidate(), 0..4),
        request in any_request(),
    ) {
        let mut law = strict();
        for _ in 0..20 {
            law.learned.penalty.denied(0.0, 1.0);
        }
        let request = Request { share: request.share.min(1.0), ..request };
        let decision = law.decide(&request, &candidates, SECOND, &mut || 0.5);
        let pays = matches!(decision, Decision::Refuse { kind: Refusal::TenantShare, .. });
        prop_assert!(!pays);
    }
}
