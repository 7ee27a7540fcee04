//! What a partial may call: `{{json …}}`, `{{#if …}}` and `{{#unless …}}`, none of which takes a misspelt name for nothing, and
//! `{{#each …}}`, which counts what it does. Each tells a trace which value of the data it writes or is there because of.

use handlebars::template::TemplateElement;
use handlebars::{
    BlockContext, BlockParams, Context, Handlebars, Helper, HelperDef, HelperResult, JsonTruthy, Output, PathAndJson,
    RenderContext, RenderError, RenderErrorReason, Renderable, Template, to_json,
};

use serde_json::Value;

use super::bounds::Budget;
use super::trace::Trace;
use crate::render::encode;

/// The one value that a helper is given, which strict mode must not take for nothing when its name is misspelt.
fn given<'rc>(helper: &'rc Helper<'_>, name: &'static str) -> Result<&'rc Value, RenderError> {
    let value = helper.param(0).ok_or(RenderErrorReason::ParamNotFoundForIndex(name, 0))?;
    if value.is_value_missing() {
        return Err(RenderErrorReason::MissingVariable(value.relative_path().cloned()).into());
    }
    Ok(value.value())
}

/// `{{json value}}`.
pub(super) struct Json<'b> {
    pub(super) trace: &'b Trace<'b>,
}

impl HelperDef for Json<'_> {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let value = given(helper, "json")?;
        if let Some(named) = helper.param(0) {
            self.trace.value(named);
        }
        out.write(&encode::json(value))?;
        Ok(())
    }
}

/// `{{#if value}}` and `{{#unless value}}`.
pub(super) struct Choice<'b> {
    pub(super) when: bool,
    pub(super) trace: &'b Trace<'b>,
}

impl HelperDef for Choice<'_> {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        registry: &'reg Handlebars<'reg>,
        context: &'rc Context,
        render: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let value = given(helper, "if")?;
        let branch = if value.is_truthy(false) == self.when { helper.template() } else { helper.inverse() };
        let Some(branch) = branch else { return Ok(()) };
        let begun = helper.param(0).and_then(|because| self.trace.begin(because, None));
        branch.render(registry, context, render, out)?;
        self.trace.end(begun);
        Ok(())
    }
}

/// `{{#each list}}` and `{{#each mapping}}`: the rounds of a loop, each paid for from a budget.
pub(super) struct Each<'b> {
    pub(super) budget: &'b Budget,
    pub(super) trace: &'b Trace<'b>,
}

impl HelperDef for Each<'_> {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        registry: &'reg Handlebars<'reg>,
        context: &'rc Context,
        render: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        given(helper, "each")?;
        let (Some(over), Some(body)) = (helper.param(0), helper.template()) else { return Ok(()) };
        let keys: Vec<Value> = match over.value() {
            Value::Array(items) => (0..items.len()).map(to_json).collect(),
            Value::Object(members) => members.keys().map(to_json).collect(),
            _ => Vec::new(),
        };
        self.budget.spend(keys.len().saturating_mul(elements(body)).saturating_add(1))?;
        if keys.is_empty() {
            return helper.inverse().map_or(Ok(()), |template| template.render(registry, context, render, out));
        }
        let last = keys.len() - 1;
        for (index, key) in keys.iter().enumerate() {
            let mut block = round(helper, over, key)?;
            block.set_local_var("first", to_json(index == 0));
            block.set_local_var("last", to_json(index == last));
            block.set_local_var("index", to_json(index));
            if key.is_string() {
                block.set_local_var("key", key.clone());
            }
            render.push_block(block);
            let begun = self.trace.begin(over, Some(&named(key)));
            let rendered = body.render(registry, context, render, out);
            render.pop_block();
            rendered?;
            self.trace.end(begun);
        }
        Ok(())
    }
}

/// What names mean in one round of a loop.
fn round<'rc>(helper: &Helper<'rc>, over: &PathAndJson<'rc>, key: &Value) -> Result<BlockContext<'rc>, RenderError> {
    let mut block = BlockContext::new();
    let named = named(key);
    let item =
        over.value().get(&named).or_else(|| over.value().get(key.as_u64().and_then(|at| usize::try_from(at).ok())?));
    let mut names = BlockParams::new();
    let (item_name, key_name) = match (helper.block_param_pair(), helper.block_param()) {
        (Some((item, key)), _) => (Some(item), Some(key)),
        (None, item) => (item, None),
    };
    match (over.context_path(), item) {
        (Some(path), _) => {
            block.base_path_mut().clone_from(path);
            block.base_path_mut().push(named);
            if let Some(name) = item_name {
                names.add_path(name, Vec::new())?;
            }
        }
        (None, item) => {
            let item = item.cloned().unwrap_or_default();
            block.set_base_value(item.clone());
            if let Some(name) = item_name {
                names.add_value(name, item)?;
            }
        }
    }
    if let Some(name) = key_name {
        names.add_value(name, key.clone())?;
    }
    block.set_block_params(names);
    Ok(block)
}

/// The key or the index of a round, as a path has it.
fn named(key: &Value) -> String {
    match key {
        Value::String(key) => key.clone(),
        index => index.to_string(),
    }
}

/// How much there is to render in one round, loops within counted as one round of theirs.
fn elements(template: &Template) -> usize {
    let inside = |element: &TemplateElement| match element {
        TemplateElement::HelperBlock(block) => {
            [&block.template, &block.inverse].into_iter().flatten().map(elements).sum::<usize>()
        }
        _ => 0,
    };
    template.elements.iter().map(|element| 1 + inside(element)).sum()
}
