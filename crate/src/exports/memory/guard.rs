//! A memory that notices misuse: the allocator of the test build (feature `guarded`), in no published module.
//!
//! ```text
//! fence | the caller's bytes | fence
//! ```
//!
//! Every block, the module's own as well as JavaScript's, lies between two fences that no one may change. New
//! bytes are NaNs, so that what is read before it was written shows. Released bytes are other NaNs, and stay
//! locked away for a while: reading them shows too, and writing to them changes them. [`guard_check`] looks at
//! all of it; a release looks at the block it ends. `test/guarded/guard.test.ts` does each harm, and sees it found.

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr::null_mut;
use std::sync::{Mutex, MutexGuard, PoisonError};
use wasm_bindgen::prelude::wasm_bindgen;

#[global_allocator]
static MEMORY: Guarded = Guarded;

/// Bytes of a fence. A row of 16 floats that is written past its end stays within.
const FENCE: usize = 64;

/// What memory holds, as a word that is a NaN in float32 and, twice, in float64. It is laid out by address,
/// and so it is the same word to every float.
#[derive(Clone, Copy)]
#[repr(u32)]
enum Pattern {
    Fence = 0xFFF5_A3B1,
    Fresh = 0x7FFA_E2C3,
    Freed = 0xFFF9_B7D5,
}

impl Pattern {
    fn byte(self, address: usize) -> u8 {
        (self as u32).to_le_bytes()[address % 4]
    }

    /// # Safety
    /// So many bytes from here are ours to write.
    unsafe fn fill(self, start: *mut u8, bytes: usize) {
        let middle = start.align_offset(4).min(bytes);
        let end = bytes - (bytes - middle) % 4;
        // SAFETY: promised by the caller; the middle is aligned and made of whole words.
        unsafe {
            std::slice::from_raw_parts_mut(start.add(middle).cast::<u32>(), (end - middle) / 4).fill(self as u32);
            for at in (0..middle).chain(end..bytes) {
                *start.add(at) = self.byte(start.addr() + at);
            }
        }
    }

    /// The first byte that is not as it was filled.
    ///
    /// # Safety
    /// So many bytes from here are ours to read.
    unsafe fn first_other(self, start: *const u8, bytes: usize) -> Option<usize> {
        // SAFETY: promised by the caller.
        (0..bytes).find(|&at| unsafe { *start.add(at) } != self.byte(start.addr() + at))
    }
}

/// What happened to a block.
#[derive(Clone, Copy)]
#[repr(u32)]
enum Harm {
    Before = 1,
    Behind = 2,
    AfterRelease = 3,
    ReleasedWrongly = 4,
}

#[derive(Clone, Copy)]
struct Block {
    start: *mut u8,
    size: usize,
    align: usize,
}

const NONE: Block = Block { start: null_mut(), size: 0, align: 0 };

impl Block {
    /// Bytes before the caller's: a fence that keeps the alignment.
    fn lead(align: usize) -> usize {
        FENCE.max(align)
    }

    /// Block and fences together.
    fn outer(size: usize, align: usize) -> Option<Layout> {
        let bytes = size.checked_add(Self::lead(align) + FENCE)?;
        Layout::from_size_align(bytes, align).ok()
    }

    fn base(&self) -> *mut u8 {
        self.start.wrapping_sub(Self::lead(self.align))
    }

    /// # Safety
    /// The block and its fences are ours.
    unsafe fn fence(&self) {
        // SAFETY: promised by the caller.
        unsafe {
            Pattern::Fence.fill(self.base(), Self::lead(self.align));
            Pattern::Fence.fill(self.start.add(self.size), FENCE);
        }
    }

    /// Finds what was written beyond the block, and mends the fences.
    ///
    /// # Safety
    /// The block and its fences are ours.
    unsafe fn examine(&self) -> Option<Damage> {
        let damage = |harm, at| Damage { harm, size: self.size, at };
        let lead = Self::lead(self.align);
        // SAFETY: promised by the caller.
        unsafe {
            let before = Pattern::Fence.first_other(self.base(), lead);
            let behind = Pattern::Fence.first_other(self.start.add(self.size), FENCE);
            let found = before
                .map(|at| damage(Harm::Before, at as isize - lead as isize))
                .or(behind.map(|at| damage(Harm::Behind, (self.size + at) as isize)));
            if found.is_some() {
                self.fence();
            }
            found
        }
    }

    /// Finds what was written to the block since its release, and mends it.
    ///
    /// # Safety
    /// The block is locked away.
    unsafe fn examine_released(&self) -> Option<Damage> {
        // SAFETY: promised by the caller.
        unsafe {
            let at = Pattern::Freed.first_other(self.start, self.size)?;
            Pattern::Freed.fill(self.start, self.size);
            Some(Damage { harm: Harm::AfterRelease, size: self.size, at: at as isize })
        }
    }

    /// # Safety
    /// The block is in no list any more.
    unsafe fn end(&self) {
        let outer = Self::outer(self.size, self.align).expect("a layout that was asked for before");
        // SAFETY: promised by the caller.
        unsafe { System.dealloc(self.base(), outer) }
    }
}

/// What was found: where, counted from the start of a block of this size.
#[derive(Clone, Copy)]
struct Damage {
    harm: Harm,
    size: usize,
    at: isize,
}

/// Blocks in use, and the last few that were released. Lists of fixed length: a list that grows would call the
/// allocator it serves.
struct Heap {
    used: [Block; 1 << 16],
    count: usize,
    locked: [Block; 64],
    turn: usize,
    damage: Option<Damage>,
}

/// Larger blocks are not locked away: it would take memory, and time at every look.
const LARGE: usize = 1 << 14;

// SAFETY: the pointers lead to memory that belongs to the heap, and the lock makes it one thread's at a time.
unsafe impl Send for Heap {}

static HEAP: Mutex<Heap> =
    Mutex::new(Heap { used: [NONE; 1 << 16], count: 0, locked: [NONE; 64], turn: 0, damage: None });

fn heap() -> MutexGuard<'static, Heap> {
    HEAP.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Heap {
    fn add(&mut self, block: Block) {
        self.used[self.count] = block;
        self.count += 1;
    }

    /// Takes a block out of those in use; the latest are released first, mostly.
    fn remove(&mut self, start: *mut u8) -> Option<Block> {
        let at = self.used[..self.count].iter().rposition(|block| block.start == start)?;
        self.count -= 1;
        self.used.swap(at, self.count);
        Some(self.used[self.count])
    }

    /// Locks a block away, and ends the one that was locked away the longest.
    fn lock(&mut self, block: Block) {
        let place = self.turn % self.locked.len();
        self.turn += 1;
        let oldest = std::mem::replace(&mut self.locked[place], block);
        if !oldest.start.is_null() {
            // SAFETY: it was locked away until now.
            unsafe {
                self.note(oldest.examine_released());
                oldest.end();
            }
        }
    }

    fn note(&mut self, damage: Option<Damage>) {
        self.damage = self.damage.or(damage);
    }

    fn examine(&mut self) {
        for block in &self.used[..self.count] {
            // SAFETY: a block in use is ours to look at.
            self.damage = self.damage.or(unsafe { block.examine() });
        }
        for block in self.locked.iter().filter(|block| !block.start.is_null()) {
            // SAFETY: and so is one that is locked away.
            self.damage = self.damage.or(unsafe { block.examine_released() });
        }
    }
}

struct Guarded;

// SAFETY: blocks come from the system's allocator with the alignment asked for, and more room than asked for.
unsafe impl GlobalAlloc for Guarded {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let (size, align) = (layout.size(), layout.align());
        let Some(outer) = Block::outer(size, align) else { return null_mut() };
        // SAFETY: the size is not zero, and all of it is ours.
        unsafe {
            let base = System.alloc(outer);
            if base.is_null() {
                return base;
            }
            let block = Block { start: base.add(Block::lead(align)), size, align };
            block.fence();
            Pattern::Fresh.fill(block.start, size);
            heap().add(block);
            block.start
        }
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        let mut heap = heap();
        let Some(block) = heap.remove(start) else {
            heap.note(Some(Damage { harm: Harm::ReleasedWrongly, size: layout.size(), at: 0 }));
            return;
        };
        if (block.size, block.align) != (layout.size(), layout.align()) {
            heap.note(Some(Damage { harm: Harm::ReleasedWrongly, size: block.size, at: 0 }));
        }
        // SAFETY: the block is in no list now.
        unsafe {
            heap.note(block.examine());
            Pattern::Freed.fill(block.start, block.size);
            if block.size < LARGE { heap.lock(block) } else { block.end() }
        }
    }
}

/// Looks at every fence and every locked block. 0 if all is well; else what was found first since the last look:
/// 1 written before a block, 2 behind it, 3 after its release, 4 released twice or with another size. Damage is
/// mended, so that it is found once.
#[wasm_bindgen]
pub fn guard_check() -> u32 {
    let mut heap = heap();
    heap.examine();
    let damage = heap.damage.take();
    *found() = damage;
    damage.map_or(0, |damage| damage.harm as u32)
}

static FOUND: Mutex<Option<Damage>> = Mutex::new(None);

fn found() -> MutexGuard<'static, Option<Damage>> {
    FOUND.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The size of the block that the last look found damaged.
#[wasm_bindgen]
pub fn guard_size() -> usize {
    found().map_or(0, |damage| damage.size)
}

/// Where it is damaged, in bytes from its start.
#[wasm_bindgen]
pub fn guard_place() -> isize {
    found().map_or(0, |damage| damage.at)
}

/// Bytes in use, without fences.
#[wasm_bindgen]
pub fn guard_bytes() -> usize {
    let heap = heap();
    heap.used[..heap.count].iter().map(|block| block.size).sum()
}
