//! What a partial may call: `{{json …}}`, `{{#if …}}` and `{{#unless …}}`, none of which takes a misspelt name for nothing.

use handlebars::{
    Context, Handlebars, Helper, HelperDef, HelperResult, JsonTruthy, Output, RenderContext, RenderError,
    RenderErrorReason, Renderable,
};

use serde_json::Value;

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
pub(super) struct Json;

impl HelperDef for Json {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let value = given(helper, "json")?;
        out.write(&encode::json(value))?;
        Ok(())
    }
}

/// `{{#if value}}` and `{{#unless value}}`.
pub(super) struct Choice {
    pub(super) when: bool,
}

impl HelperDef for Choice {
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
        branch.map_or(Ok(()), |template| template.render(registry, context, render, out))
    }
}
