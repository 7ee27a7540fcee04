//! What API Gateway asks of whoever runs functions.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

/// Calls functions.
#[async_trait]
pub trait Functions: Send + Sync {
    /// Calls a function and waits for its answer, or hands the event over when nobody waits.
    ///
    /// # Errors
    /// When the function could not be called at all.
    async fn invoke(&self, call: FunctionCall) -> Result<FunctionAnswer, FunctionRefusal>;
}

/// One call of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionCall {
    /// The function's ARN, perhaps with a version or alias.
    pub function: String,
    /// The event: JSON.
    pub payload: Vec<u8>,
    /// The ARN of the API's method or authorizer on whose behalf it is called.
    pub source_arn: String,
    /// The role in which API Gateway calls; else the function's own policy must let API Gateway in.
    pub role: Option<String>,
    /// Whether nobody waits for the answer.
    pub event: bool,
}

/// What a function answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionAnswer {
    /// What it gave back, or the error's JSON.
    pub payload: Vec<u8>,
    /// Whether it failed.
    pub failed: bool,
}

/// Why a function could not be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FunctionRefusal {
    /// The local target can't run it: says which and why.
    NotSimulated(String),
    /// It is not there, or API Gateway may not call it: says which.
    Refused(String),
}

/// Who runs the functions of APIs, as an option of the local target: its own Python processes unless said.
#[derive(Clone, Default)]
pub struct FunctionRunner(Option<Arc<dyn Functions>>);

impl FunctionRunner {
    /// Functions run by the caller's own means.
    pub fn new(functions: impl Functions + 'static) -> Self {
        Self(Some(Arc::new(functions)))
    }

    /// Who runs functions, if anyone does.
    pub(crate) fn get(&self) -> Option<Arc<dyn Functions>> {
        self.0.clone()
    }
}

impl fmt::Debug for FunctionRunner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "FunctionRunner(custom)" } else { "FunctionRunner(python)" })
    }
}
