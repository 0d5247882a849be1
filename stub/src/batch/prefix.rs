//! The prefix cache: prompts that were computed stay in the room that nobody
//! has reserved, least recently used first to go.

use std::hash::{DefaultHasher, Hash, Hasher};

use lru::LruCache;

/// Tokens of one block of the cache.
pub(super) const BLOCK_TOKENS: u32 = 64;

/// Hashes of the first `tokens` of a prompt, block by block; each covers all
/// that comes before it. A last block that is not full is left out.
pub(crate) fn prompt_blocks(prompt: &[u8], tokens: u32) -> Vec<u64> {
    let mut hasher = DefaultHasher::new();
    prompt
        .chunks_exact(BLOCK_TOKENS as usize * crate::tokens::BYTES_PER_TOKEN)
        .take((tokens / BLOCK_TOKENS) as usize)
        .map(|block| {
            block.hash(&mut hasher);
            hasher.finish()
        })
        .collect()
}

pub(super) struct PrefixCache(LruCache<u64, ()>);

impl Default for PrefixCache {
    fn default() -> Self {
        // Bounded by `shrink_to`: the room for it changes with every reservation.
        Self(LruCache::unbounded())
    }
}

impl PrefixCache {
    /// Tokens at the start of the prompt that are in the cache.
    pub(super) fn hit(&mut self, blocks: &[u64]) -> u32 {
        let hits = blocks
            .iter()
            .take_while(|block| self.0.get(block).is_some())
            .count();
        hits as u32 * BLOCK_TOKENS
    }

    /// Keeps a computed prompt; its head is the last to go.
    pub(super) fn keep(&mut self, blocks: &[u64]) {
        for block in blocks.iter().rev() {
            self.0.put(*block, ());
        }
    }

    pub(super) fn shrink_to(&mut self, tokens: u32) {
        while self.0.len() > (tokens / BLOCK_TOKENS) as usize {
            self.0.pop_lru();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_share_the_blocks_of_their_common_start() {
        let one = prompt_blocks(&[b'a'; 1000], 250);
        let mut other = vec![b'a'; 600];
        other.extend([b'b'; 400]);
        let two = prompt_blocks(&other, 250);
        assert_eq!(one.len(), 3);
        assert_eq!(one[..2], two[..2]);
        assert_ne!(one[2], two[2]);
    }

    #[test]
    fn a_shrinking_cache_forgets_tails_first() {
        let blocks = prompt_blocks(&[b'a'; 1024], 256);
        let mut cache = PrefixCache::default();
        cache.keep(&blocks);
        cache.shrink_to(2 * BLOCK_TOKENS);
        assert_eq!(cache.hit(&blocks), 2 * BLOCK_TOKENS);
    }
}
