//! Element segments: references for tables.

use crate::bytes::Record;
use crate::error::ErrorKind;
use crate::layout::{self, SectionId, element, function_type};
use crate::types::{ExternKind, ValueType};

use super::Artifact;
use super::collection::{Collection, Item};
use super::expressions::Expression;
use super::functions::check_referenced;
use super::types::{self, check_value_type};
use super::validate::Checker;

/// The element segments of a module.
pub type ElementSegments<'a> = Collection<'a, ElementSegment<'a>>;

/// An element segment.
#[derive(Clone, Copy, Debug)]
pub struct ElementSegment<'a> {
    /// Its index.
    pub index: u32,
    /// What happens to it.
    pub mode: ElementMode<'a>,
    /// The type of its items.
    pub element: ValueType,
    /// The items.
    pub items: ElementItems<'a>,
}

/// What happens to an element segment.
#[derive(Clone, Copy, Debug)]
pub enum ElementMode<'a> {
    /// Copied by instructions.
    Passive,
    /// Copied at instantiation.
    Active {
        /// The table, imports first.
        table: u32,
        /// Where in the table; of the table's index type.
        offset: Expression<'a>,
    },
    /// Never copied.
    Declared,
}

impl<'a> Item<'a> for ElementSegment<'a> {
    const SECTION: SectionId = SectionId::Elements;

    fn read(artifact: &'a Artifact<'a>, record: &Record, index: u32) -> Self {
        ElementSegment {
            index,
            mode: match record.u32(element::MODE) {
                layout::MODE_ACTIVE => ElementMode::Active {
                    table: record.u32(element::TABLE),
                    offset: Expression::at(artifact, record.u32(element::OFFSET)),
                },
                layout::MODE_PASSIVE => ElementMode::Passive,
                _ => ElementMode::Declared,
            },
            element: ValueType::from_checked(record.u32(element::ELEMENT)),
            items: ElementItems::read(artifact, record),
        }
    }
}

/// The items of an element segment.
#[derive(Clone, Copy, Debug)]
pub struct ElementItems<'a> {
    artifact: &'a Artifact<'a>,
    first: u32,
    count: u32,
    /// Whether they are expressions, and not functions.
    expressions: bool,
}

/// An item of an element segment.
#[derive(Clone, Copy, Debug)]
pub enum ElementItem<'a> {
    /// A null reference.
    Null,
    /// A reference to a function, imports first.
    Function(u32),
    /// The value of an expression.
    Expression(Expression<'a>),
}

impl<'a> ElementItems<'a> {
    fn read(artifact: &'a Artifact<'a>, record: &Record) -> ElementItems<'a> {
        ElementItems {
            artifact,
            first: record.u32(element::FIRST_ITEM),
            count: record.u32(element::ITEM_COUNT),
            expressions: record.u32(element::ITEM_KIND) != layout::ITEMS_FUNCTIONS,
        }
    }

    /// How many there are.
    pub const fn len(&self) -> u32 {
        self.count
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The one with this index.
    pub fn get(&self, index: u32) -> Option<ElementItem<'a>> {
        let word = self.word(index)?;
        Some(if self.expressions {
            ElementItem::Expression(Expression::at(self.artifact, word))
        } else if word == layout::NONE {
            ElementItem::Null
        } else {
            ElementItem::Function(word)
        })
    }

    /// All of them in order.
    pub fn iter(&self) -> impl Iterator<Item = ElementItem<'a>> + Clone + 'a {
        let items = *self;
        (0..self.count).map_while(move |index| items.get(index))
    }

    fn word(&self, index: u32) -> Option<u32> {
        if index >= self.count {
            return None;
        }
        let place = self.first.checked_add(index)?;
        self.artifact.word(SectionId::ElementItems, place)
    }
}

/// Whether a segment is active. One that is not has zero for what it goes to, and no offset.
pub(super) fn is_active(mode: u32, to: u32, offset: u32) -> Result<bool, ErrorKind> {
    let is_active = mode == layout::MODE_ACTIVE;
    if is_active == (offset == layout::NONE) || !is_active && to != 0 {
        return Err(ErrorKind::UnknownNumber);
    }
    Ok(is_active)
}

/// Checks the place of a segment and its items.
pub(super) fn check(checker: &mut Checker<'_>, record: &Record) -> Result<(), ErrorKind> {
    let artifact = checker.artifact;
    let ty = check_value_type(artifact, record.u32(element::ELEMENT))?;
    if !ty.is_reference() {
        return Err(ErrorKind::UnknownNumber);
    }
    let (mode, table) = (record.u32(element::MODE), record.u32(element::TABLE));
    let offset = record.u32(element::OFFSET);
    let is_active = is_active(mode, table, offset)?;
    let items = ElementItems::read(artifact, record);
    let mut items_type = ty;
    if !items.expressions {
        if !ty.is_function() {
            return Err(ErrorKind::TypeMismatch);
        }
        // Functions are never null.
        items_type = ty.not_null();
    }
    if is_active {
        checker.offset(ExternKind::Table, table, offset)?;
    }
    let words = artifact.section_words(SectionId::ElementItems);
    let words = words.range(items.first, items.count).unwrap_or_default();
    for word in words.iter() {
        if items.expressions {
            checker.expression(word, ty, artifact.index_space(ExternKind::Global))?;
        } else if word == layout::NONE {
            if !ty.is_nullable() {
                return Err(ErrorKind::TypeMismatch);
            }
            items_type = ty;
        } else {
            if mode == layout::MODE_DECLARED {
                // Declared items are never copied, so they need no record.
                artifact.find_in_space(ExternKind::Function, word)?;
            } else {
                check_referenced(artifact, word)?;
            }
            let holds = match ty.function_type() {
                Some(number) => {
                    let function = types::of_function(artifact, word);
                    number == function.u32(function_type::CANONICAL)
                }
                None => ty.not_null() != ValueType::NULLFUNCREF.not_null(),
            };
            if !holds {
                return Err(ErrorKind::TypeMismatch);
            }
        }
    }
    if is_active {
        let element = artifact.declaration(ExternKind::Table, table).ty;
        if !items_type.is_subtype_of(ValueType::from_checked(element)) {
            return Err(ErrorKind::TypeMismatch);
        }
    }
    Ok(())
}
