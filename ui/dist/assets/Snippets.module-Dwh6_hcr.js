const _="_wrap_1d2xn_1",s="_tabs_1d2xn_2",t="_tab_1d2xn_2",n="_files_1d2xn_6",e="_empty_1d2xn_7",p="_pulse_1d2xn_9",a={wrap:_,tabs:s,tab:t,files:n,empty:e,pulse:p};export{a as s};
