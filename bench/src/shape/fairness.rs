//! Whether tenants got what they were entitled to: max-min shares, and Jain's
//! index of how equal the ratios of service to entitlement are.

/// What each is entitled to of `capacity`: nobody more than asked for, and what
/// one leaves is shared by the others.
fn entitlements(asked: &[f64], capacity: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..asked.len()).collect();
    order.sort_by(|a, b| asked[*a].total_cmp(&asked[*b]));
    let mut given = vec![0.0; asked.len()];
    let mut left = capacity;
    for (done, index) in order.iter().enumerate() {
        let equal = left / (asked.len() - done) as f64;
        given[*index] = asked[*index].min(equal);
        left -= given[*index];
    }
    given
}

/// Jain's index, 1 if everybody got the same multiple of the entitlement;
/// `None` if nobody asked for anything or got anything.
pub(crate) fn jain(asked: &[f64], served: &[f64]) -> Option<f64> {
    let entitled = entitlements(asked, served.iter().sum());
    let ratios: Vec<f64> = served
        .iter()
        .zip(&entitled)
        .filter(|(_, entitled)| **entitled > 0.0)
        .map(|(served, entitled)| served / entitled)
        .collect();
    let sum: f64 = ratios.iter().sum();
    let squares: f64 = ratios.iter().map(|ratio| ratio * ratio).sum();
    (squares > 0.0).then(|| sum * sum / (ratios.len() as f64 * squares))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_for_little_gets_it_and_the_rest_is_shared() {
        assert_eq!(entitlements(&[70.0, 10.0, 20.0], 60.0), [30.0, 10.0, 20.0]);
        assert_eq!(entitlements(&[70.0, 40.0, 10.0], 60.0), [25.0, 25.0, 10.0]);
    }

    #[test]
    fn equal_ratios_make_one_and_one_winner_makes_its_share() {
        assert_eq!(jain(&[70.0, 10.0, 10.0], &[30.0, 10.0, 10.0]), Some(1.0));
        let winner = jain(&[50.0, 50.0], &[50.0, 0.0]).expect("served");
        assert!((winner - 0.5).abs() < 1e-9);
        assert_eq!(jain(&[0.0], &[0.0]), None);
    }
}
