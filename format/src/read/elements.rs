//! Element segments: references for tables.

use crate::bytes::{Record, Words};
use crate::error::{ErrorKind, FormatError};
use crate::layout::{self, SectionId, element};
use crate::types::{ExternKind, ValueType};

use super::Artifact;
use super::collection::{Collection, Item};
use super::expressions::{Expression, Expressions};
use super::types::check_value_type;
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
    type Pools = (Words<'a>, Expressions<'a>);

    const SECTION: SectionId = SectionId::Elements;

    fn read(record: Record<'a>, index: u32, pools: &Self::Pools) -> Result<Self, ErrorKind> {
        let (items, expressions) = *pools;
        let table = record.u32(element::TABLE);
        let offset = record.optional(element::OFFSET);
        let mode = match (record.u32(element::MODE), offset) {
            (layout::MODE_ACTIVE, Some(offset)) => ElementMode::Active {
                table,
                offset: expressions.read(offset)?,
            },
            (layout::MODE_PASSIVE, None) if table == 0 => ElementMode::Passive,
            (layout::MODE_DECLARED, None) if table == 0 => ElementMode::Declared,
            _ => return Err(ErrorKind::UnknownNumber),
        };
        let words = items
            .range(
                record.u32(element::FIRST_ITEM),
                record.u32(element::ITEM_COUNT),
            )
            .ok_or(ErrorKind::RangeOutOfBounds)?;
        let expressions = match record.u32(element::ITEM_KIND) {
            layout::ITEMS_FUNCTIONS => None,
            layout::ITEMS_EXPRESSIONS => Some(expressions),
            _ => return Err(ErrorKind::UnknownNumber),
        };
        Ok(ElementSegment {
            index,
            mode,
            element: ValueType::from_raw(record.u32(element::ELEMENT))
                .filter(|ty| ty.is_reference())
                .ok_or(ErrorKind::UnknownNumber)?,
            items: ElementItems { words, expressions },
        })
    }
}

impl ElementSegment<'_> {
    /// The type of the items: functions are never null.
    fn items_type(&self) -> ValueType {
        let only_functions = self.items.expressions.is_none()
            && self.items.words.iter().all(|word| word != layout::NONE);
        if only_functions {
            self.element.not_null()
        } else {
            self.element
        }
    }
}

/// The items of an element segment.
#[derive(Clone, Copy, Debug)]
pub struct ElementItems<'a> {
    words: Words<'a>,
    expressions: Option<Expressions<'a>>,
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
    /// How many there are.
    pub const fn len(&self) -> u32 {
        self.words.len()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The one with this index.
    pub fn get(&self, index: u32) -> Option<ElementItem<'a>> {
        self.item(self.words.get(index)?).ok()
    }

    /// All of them in order.
    pub fn iter(&self) -> impl Iterator<Item = ElementItem<'a>> + Clone + 'a {
        let items = *self;
        // Parsing has read each item, so none is left out.
        self.words
            .iter()
            .filter_map(move |word| items.item(word).ok())
    }

    fn item(&self, word: u32) -> Result<ElementItem<'a>, ErrorKind> {
        match self.expressions {
            Some(expressions) => expressions.read(word).map(ElementItem::Expression),
            None if word == layout::NONE => Ok(ElementItem::Null),
            None => Ok(ElementItem::Function(word)),
        }
    }
}

/// Whether references to a function are of a type of references to functions.
fn holds(artifact: &Artifact<'_>, ty: ValueType, function: u32) -> Result<bool, ErrorKind> {
    if ty.function_type().is_none() {
        return Ok(ty != ValueType::NULLFUNCREF && ty != ValueType::NULLFUNCREF.not_null());
    }
    let function = artifact.function_type(function);
    let function = function.ok_or(ErrorKind::IndexOutOfRange)?;
    Ok(ty.function_type() == Some(function.canonical))
}

/// Checks tables, offsets and items.
pub(super) fn check(artifact: &Artifact<'_>, checker: &mut Checker) -> Result<(), FormatError> {
    let globals = artifact.index_space(ExternKind::Global);
    let functions = artifact.index_space(ExternKind::Function);
    let segments = artifact.elements();
    let mut next_item = 0;
    segments.check_each(artifact, |segment| {
        let record = segments
            .record(segment.index)
            .ok_or(ErrorKind::IndexOutOfRange)?;
        if record.u32(element::FIRST_ITEM) != next_item {
            return Err(ErrorKind::NotContiguous);
        }
        next_item += segment.items.len();
        check_value_type(artifact, segment.element)?;
        if let ElementMode::Active { table, offset } = segment.mode {
            let ty = artifact
                .table_type(table)
                .ok_or(ErrorKind::IndexOutOfRange)?;
            if !segment.items_type().is_subtype_of(ty.element) {
                return Err(ErrorKind::TypeMismatch);
            }
            checker.expression(artifact, &offset, ty.index_type(), globals)?;
        }
        if segment.items.expressions.is_none() && !segment.element.is_function() {
            return Err(ErrorKind::TypeMismatch);
        }
        for word in segment.items.words.iter() {
            match segment.items.item(word)? {
                ElementItem::Null if segment.element.is_nullable() => {}
                ElementItem::Null => return Err(ErrorKind::TypeMismatch),
                ElementItem::Function(index) if index >= functions => {
                    return Err(ErrorKind::IndexOutOfRange);
                }
                ElementItem::Function(index) if !holds(artifact, segment.element, index)? => {
                    return Err(ErrorKind::TypeMismatch);
                }
                // Declared items are never copied, so they need no record.
                ElementItem::Function(_) if matches!(segment.mode, ElementMode::Declared) => {}
                ElementItem::Function(index) => {
                    super::functions::check_referenced(artifact, index)?;
                }
                ElementItem::Expression(item) => {
                    checker.expression(artifact, &item, segment.element, globals)?;
                }
            }
        }
        Ok(())
    })?;
    if next_item != artifact.section_words(SectionId::ElementItems).len() {
        return Err(artifact.error(ErrorKind::NotContiguous, SectionId::ElementItems, next_item));
    }
    Ok(())
}
