//! Every target: what is refused, what is called how, and that its artifacts have the same bytes
//! wherever they are made.

#[path = "targets/modules.rs"]
mod modules;
#[path = "targets/names.rs"]
mod names;
#[path = "targets/product.rs"]
mod product;
#[path = "targets/same_bytes.rs"]
mod same_bytes;
