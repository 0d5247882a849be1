//! What is in an endpoint's prefix cache, as far as a gateway can tell: the
//! prompts that went there last. A prompt is a chain of blocks, each known by a
//! hash of all the text up to its end, so that prompts that begin alike have
//! their first blocks in common.

use std::hash::{BuildHasher, Hasher};
use std::sync::LazyLock;

use foldhash::quality::RandomState;
use lru::LruCache;

/// Text of a block.
const BLOCK: usize = 256;

/// Tokens of a block, roughly: caches are counted in tokens.
const BLOCK_TOKENS: u32 = 64;

/// Blocks of a prompt that are told apart: a million bytes of text.
const MOST: usize = 4096;

/// The same for all endpoints, and another in each process, so that nobody can
/// make up texts that are taken for each other.
static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::default);

/// A prompt's text in blocks. It is made once for a request, and compared with
/// what each endpoint has.
#[derive(Debug, Clone, Default)]
pub struct Blocks {
    chain: Vec<u64>,
    /// Bytes of the text, those after the last full block too.
    bytes: usize,
    /// Tokens of the text.
    tokens: u32,
}

impl Blocks {
    /// The full blocks of a text of so many tokens.
    pub fn of(text: &[u8], tokens: u32) -> Self {
        let mut before = 0;
        let chain = text.chunks_exact(BLOCK).take(MOST).map(|block| {
            let mut hasher = HASHER.build_hasher();
            hasher.write_u64(before);
            hasher.write(block);
            before = hasher.finish();
            before
        });
        Self {
            chain: chain.collect(),
            bytes: text.len(),
            tokens,
        }
    }

    /// Tokens of the first blocks, so many of them.
    fn tokens_of(&self, blocks: usize) -> u32 {
        let tokens = u64::from(self.tokens) * (blocks * BLOCK) as u64;
        (tokens / self.bytes.max(1) as u64) as u32
    }
}

/// The picture of an endpoint's prefix cache: what was used least lately goes
/// first, and of a prompt its end before its beginning.
#[derive(Debug)]
pub struct Prefix {
    // A block is never used later than the one before it in its chain. So it
    // never stays longer either, and of a prompt a first part is there.
    blocks: LruCache<u64, ()>,
    capacity: usize,
}

/// Tokens of a cache whose size is not known.
const UNKNOWN: u32 = 1 << 16;

impl Default for Prefix {
    fn default() -> Self {
        Self::new(UNKNOWN)
    }
}

impl Prefix {
    /// An empty cache of so many tokens.
    pub fn new(capacity: u32) -> Self {
        Self {
            blocks: LruCache::unbounded(),
            capacity: in_blocks(capacity),
        }
    }

    /// The cache has room for so many tokens now.
    pub fn set_capacity(&mut self, tokens: u32) {
        self.capacity = in_blocks(tokens);
        self.shrink();
    }

    /// Tokens at the beginning of the prompt that are there: this takes some
    /// lookups, and only one for a prompt that is new.
    pub fn cached_tokens(&self, prompt: &Blocks) -> u32 {
        let is_there = |block: &u64| self.blocks.contains(block);
        if !prompt.chain.first().is_some_and(is_there) {
            return 0;
        }
        prompt.tokens_of(prompt.chain.partition_point(is_there))
    }

    /// A prompt was read there.
    pub fn learn(&mut self, prompt: &Blocks) {
        let fits = prompt.chain.len().min(self.capacity);
        for block in prompt.chain[..fits].iter().rev() {
            self.blocks.put(*block, ());
        }
        self.shrink();
    }

    /// The cache is empty, as after a restart.
    pub fn forget(&mut self) {
        self.blocks.clear();
    }

    /// Tokens that are believed to be there.
    pub fn tokens(&self) -> u32 {
        self.blocks.len() as u32 * BLOCK_TOKENS
    }

    fn shrink(&mut self) {
        while self.blocks.len() > self.capacity {
            self.blocks.pop_lru();
        }
    }
}

fn in_blocks(tokens: u32) -> usize {
    (tokens / BLOCK_TOKENS) as usize
}

#[cfg(test)]
mod tests;
