//! What care costs inside one hospital: the step-down of department costs, activities, cost of cases by
//! three methods, rates that later stays are costed by, cost drivers. Pure and exact: every fen that goes
//! in comes out in one place. Nothing of it leaves a hospital but through questions.
//!
//! Frame: 公立医院成本核算规范 (2021): cost objects, four classes of departments, seven cost items.

mod activity;
mod cases;
mod drivers;
mod explain;
mod ledger;
mod rates;
mod step_down;
#[cfg(test)]
mod test;
#[cfg(test)]
mod test_methods;
#[cfg(test)]
mod test_properties;

pub use activity::{Activities, Activity, ActivityError, GroupUse, Resource, Used, activities};
pub use cases::{
    Case, CaseError, GroupCost, Ratio, Unit, bottom_up, by_group, cost_to_charge, top_down,
};
pub use drivers::{Attributed, DriverError, attributed};
pub use explain::{Origin, explain};
pub use ledger::{
    Class, CostRules, DEFAULT, Department, Direct, Driver, LedgerError, Ledgers, Shared, Use,
};
pub use rates::{Method, RateError, RateTable, Rates, Volume, rates};
pub use step_down::{Closed, Transfer, close};
